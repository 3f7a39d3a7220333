//! Names and cities, by script.

/// People who write their names in one script.
pub(super) struct People {
    /// Given names, each with how a userName spells it.
    pub(super) given: &'static [(&'static str, &'static str)],
    /// Family names.
    pub(super) family: &'static [&'static str],
    /// Where they live, with the time zone.
    pub(super) cities: &'static [(&'static str, &'static str)],
}

/// The scripts. Latin stands twice, for it is the most common.
pub(super) const PEOPLE_OF: &[People] =
    &[LATIN, LATIN, CYRILLIC, GREEK, ARABIC, HEBREW, DEVANAGARI, HAN, HANGUL, KANA, THAI];

const LATIN: People = People {
    given: &[
        ("Ada", "ada"),
        ("Zoë", "zoe"),
        ("Łukasz", "lukasz"),
        ("François", "francois"),
        ("Nguyễn", "nguyen"),
        ("Jürgen", "juergen"),
        ("Søren", "soeren"),
        ("Grace", "grace"),
        ("Siobhán", "siobhan"),
        ("Mary Ann", "mary-ann"),
    ],
    family: &[
        "Lovelace",
        "O'Brien",
        "Müller",
        "Þórsdóttir",
        "Kovačević",
        "da Silva",
        "Nuñez",
        "Smith",
        "Čapek",
        "Öztürk",
        "van der Berg",
        "Ångström",
    ],
    cities: &[
        ("London", "Europe/London"),
        ("São Paulo", "America/Sao_Paulo"),
        ("Kraków", "Europe/Warsaw"),
        ("New York", "America/New_York"),
    ],
};

const CYRILLIC: People = People {
    given: &[("Ольга", "olga"), ("Дмитрий", "dmitry"), ("Наталія", "nataliia"), ("Ђорђе", "djordje")],
    family: &["Иванова", "Шевченко", "Петровић", "Щербаков", "Кузнецов"],
    cities: &[("Київ", "Europe/Kyiv"), ("София", "Europe/Sofia"), ("Београд", "Europe/Belgrade")],
};

const GREEK: People = People {
    given: &[("Ελένη", "eleni"), ("Γιώργος", "giorgos"), ("Υπατία", "hypatia")],
    family: &["Παπαδόπουλος", "Αγγελίδου", "Καζαντζάκη"],
    cities: &[("Αθήνα", "Europe/Athens"), ("Λευκωσία", "Asia/Nicosia")],
};

const ARABIC: People = People {
    given: &[("فاطمة", "fatima"), ("محمد", "mohammed"), ("ليلى", "layla")],
    family: &["الخوارزمي", "حداد", "بن يوسف"],
    cities: &[("القاهرة", "Africa/Cairo"), ("دبي", "Asia/Dubai")],
};

const HEBREW: People = People {
    given: &[("נועה", "noa"), ("דוד", "david"), ("שירה", "shira")],
    family: &["כהן", "לוי", "בן־דוד"],
    cities: &[("תל אביב", "Asia/Jerusalem")],
};

const DEVANAGARI: People = People {
    given: &[("प्रिया", "priya"), ("अर्जुन", "arjun"), ("लक्ष्मी", "lakshmi")],
    family: &["शर्मा", "देशपांडे", "सिंह"],
    cities: &[("मुंबई", "Asia/Kolkata"), ("दिल्ली", "Asia/Kolkata")],
};

const HAN: People = People {
    given: &[("小明", "xiaoming"), ("秀英", "xiuying"), ("偉", "wei")],
    family: &["王", "李", "歐陽", "陳"],
    cities: &[("上海", "Asia/Shanghai"), ("臺北", "Asia/Taipei")],
};

const HANGUL: People = People {
    given: &[("지우", "jiwoo"), ("서연", "seoyeon"), ("민준", "minjun")],
    family: &["김", "박", "남궁"],
    cities: &[("서울", "Asia/Seoul"), ("부산", "Asia/Seoul")],
};

const KANA: People = People {
    given: &[("さくら", "sakura"), ("ユウキ", "yuki"), ("ひかり", "hikari")],
    family: &["たなか", "スズキ", "やまもと"],
    cities: &[("とうきょう", "Asia/Tokyo"), ("オオサカ", "Asia/Tokyo")],
};

const THAI: People = People {
    given: &[("สมชาย", "somchai"), ("มาลี", "malee"), ("อนันดา", "ananda")],
    family: &["ศรีสุข", "วงศ์ใหญ่", "ทองดี"],
    cities: &[("กรุงเทพฯ", "Asia/Bangkok")],
};
