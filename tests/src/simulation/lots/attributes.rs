//! What accounts are like, and what entries say of them.

use super::{Draw, NAMES};
use fastrand::Rng;
use serde_json::json;
use slack_sim::{Address, Guest, SeedName, SeedUser};

impl Draw {
    /// An account as it is, with a few attributes.
    pub(super) fn account(&mut self, at: usize) -> SeedUser {
        let name = NAMES[at];
        let text = |rng: &mut Rng, what: &str| (rng.u8(..3) == 0).then(|| format!("{what} {}", rng.u8(..4)));
        let rng = &mut self.rng;
        let guest = self.able.guests && rng.u8(..12) == 0;
        SeedUser {
            id: Some(format!("U0{}", name.to_uppercase())),
            user_name: name.to_owned(),
            email: format!("{name}@w.example"),
            secondary_email: (rng.u8(..8) == 0).then(|| format!("{name}.second@w.example")),
            name: Some(SeedName {
                given_name: Some(name.to_uppercase()),
                family_name: Some(format!("Lot{at}")),
                honorific_prefix: None,
            }),
            display_name: text(rng, "Display"),
            title: text(rng, "Title"),
            phone: (rng.u8(..4) == 0).then(|| format!("+1 555 {:04}", at * 10)),
            mobile_phone: (rng.u8(..4) == 0).then(|| format!("+1 555 {:04}", at * 10 + 1)),
            photo: (rng.u8(..8) == 0).then(|| "https://w.example/old.png".to_owned()),
            address: (rng.u8(..5) == 0).then(|| Address { country: Some("UK".into()), ..Address::default() }),
            role: text(rng, "Role"),
            employee_number: text(rng, "00"),
            department: text(rng, "Department"),
            start_date: (rng.u8(..6) == 0).then(|| "2024-01-05T00:00:00+0000".to_owned()),
            guest: guest.then(|| Guest {
                expiration: (rng.u8(..2) == 0).then(|| "2027-06-30T23:59:59Z".to_owned()),
                channels: Vec::new(),
            }),
            ..SeedUser::default()
        }
    }

    /// What an entry says besides names and activity.
    pub(super) fn settings(&mut self, live: Option<&SeedUser>, at: usize) -> Vec<(&'static str, String)> {
        let quoted = |text: &str| json!(text).to_string();
        let mut settings = Vec::new();
        let same = |text: Option<&String>| text.map(|text| quoted(text));
        let of = |pick: fn(&SeedUser) -> Option<String>| live.and_then(pick);
        let texts: [(&'static str, Option<String>); 6] = [
            ("title", of(|live| live.title.clone())),
            ("role", of(|live| live.role.clone())),
            ("employeeNumber", of(|live| live.employee_number.clone())),
            ("department", of(|live| live.department.clone())),
            ("phone", of(|live| live.phone.clone())),
            ("mobilePhone", of(|live| live.mobile_phone.clone())),
        ];
        for (key, now) in texts {
            if !self.chance(22) {
                continue;
            }
            let value = match self.rng.u8(..10) {
                0..5 => match same(now.as_ref()) {
                    Some(value) => value,
                    None => continue,
                },
                5..9 if key.ends_with("hone") => quoted(&format!("+1 556 {:04}", at * 10 + key.len() % 7)),
                5..9 => quoted(&format!("{key} {}", self.rng.u8(4..9))),
                _ => "null".to_owned(),
            };
            settings.push((key, value));
        }
        if self.chance(15) {
            let family = format!("Lot{}", at + usize::from(self.rng.bool()) * 100);
            settings.push((
                "name",
                format!("{{ givenName: {}, familyName: {family} }}", NAMES[at].to_uppercase()),
            ));
        }
        if self.chance(10) {
            let values = [
                "null".to_owned(),
                format!("{}.second@w.example", NAMES[at]),
                format!("{}.third@w.example", NAMES[at]),
            ];
            settings.push(("secondaryEmail", values[self.rng.usize(..3)].clone()));
        }
        if self.chance(8) {
            let value = ["null", "{ country: UK }", "{ locality: Bath }", "{ country: null, region: Avon }"];
            settings.push(("address", value[self.rng.usize(..4)].to_owned()));
        }
        if self.chance(6) {
            settings
                .push(("photo", ["null", "\"https://w.example/new.png\""][self.rng.usize(..2)].to_owned()));
        }
        if self.chance(8) {
            settings.push(("timezone", ["Europe/London", "Asia/Tokyo"][self.rng.usize(..2)].to_owned()));
        }
        let able = self.able.start_dates;
        if self.chance(8) && (live.is_none() || self.may(able)) {
            settings
                .push(("startDate", ["2024-01-05", "2026-03-01", "null"][self.rng.usize(..3)].to_owned()));
        }
        if self.chance(10) {
            settings.push(("displayName", quoted(&format!("Display {}", self.rng.u8(..4)))));
        }
        let is_guest = live.is_some_and(|live| live.guest.is_some());
        let able = self.able.guests;
        if self.chance(if is_guest { 60 } else { 5 }) && self.may(able) {
            let value = ["null", "{}", "{ expires: 2027-03-31 }", "{ expires: null }"];
            settings.push(("guest", value[self.rng.usize(..4)].to_owned()));
        }
        settings
    }
}
