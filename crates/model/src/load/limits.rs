//! How large a roster may be, and why. Each limit stands well above the largest roster that is expected (100,000
//! people with a dozen attributes, 5,000 groups, 1,000,000 memberships: about 70 MB and 4,000,000 YAML nodes) and
//! low enough that a hostile file ends in an error before it has used up the machine.

/// The most bytes that one file may have. 100,000 people in one file need about 60 MB; twice that is room, and a file
/// of 200 MB is no roster. Whoever reads files checks this before reading them.
pub const MAX_FILE_BYTES: usize = 128 << 20;

/// The most bytes that all files of a roster may have together. The texts stay in memory for as long as the roster
/// does, because every diagnostic and every change quotes its line.
pub const MAX_TOTAL_BYTES: usize = 256 << 20;

/// The deepest nesting. A roster needs six levels (users, entry, address, …); reading recurses once per level.
pub(super) const MAX_DEPTH: u16 = 32;

/// The most bytes of one text. The longest honest one is a photo as a `data:` URL, which stays below 1 MiB.
pub(super) const MAX_TEXT_BYTES: usize = 1 << 20;

/// The most YAML nodes below one entry of `users` or `groups` or one other top-level value. The whole entry is in
/// memory while it is understood (about 64 bytes a node); a group of 400,000 members fits.
pub(super) const MAX_ENTRY_NODES: u32 = 500_000;

/// The most YAML nodes of a whole roster, counting what an alias or a merge key stands for each time it is used, what
/// `defaults` adds to a person, and one node for every 16 bytes of a text. It bounds what a small file can grow to
/// (the "billion laughs"), and is more than twice what the largest expected roster has.
pub(super) const MAX_NODES: u64 = 10_000_000;

/// The most YAML nodes in all anchored values together. They stay in memory until their file has been
/// read. A list of 100,000 members can be anchored.
pub(super) const MAX_ANCHORED_NODES: u64 = 200_000;

/// The most times that the parser may look for more text before it answers with the next event, three or four times
/// for a short token. A group of 100,000 members can be written in brackets inside braces, and a whole roster of
/// 10,000 people as one JSON object; what the parser keeps meanwhile stays below 300 MB.
pub(super) const MAX_LOOKAHEAD: u32 = 8 << 20;

/// The most findings beyond those kept that are counted. A file with more is not a roster, and is not read on.
pub(super) const MAX_COUNTED: usize = 20_000;

/// The most errors that are kept, and apart from them the most warnings. Nobody reads a thousand; how many more there
/// are is told.
pub(super) const MAX_FINDINGS: usize = 1_000;
