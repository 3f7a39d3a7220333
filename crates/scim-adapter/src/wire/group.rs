//! A group as a service answers it (RFC 7643 §4.2, sheet S14).

use super::lenient::{Count, List, Text, lenient_object};

lenient_object! {
    /// A group resource.
    WireGroup {
        id: Text = "id",
        display_name: Text = "displayName",
        members: List<Member> = "members",
        total_results: Count = "totalResults",
    }
}

lenient_object! {
    /// A member.
    Member {
        value: Text = "value",
    }
    text value
}
