//! A group as a service answers it (RFC 7643 §4.2, sheet S14).

use super::lenient::{Count, List, Text, lenient_object};

lenient_object! {
    /// A group resource, or a page of one: where members are paged, the group says so itself (sheet S8).
    WireGroup {
        id: Text = "id",
        display_name: Text = "displayName",
        members: List<GroupMember> = "members",
        total_results: Count = "totalResults",
        start_index: Count = "startIndex",
    }
}

lenient_object! {
    /// A member.
    GroupMember {
        value: Text = "value",
    }
    text value
}
