//! A user as a service answers it (RFC 7643 §4.1, sheet S5).

use super::lenient::{Flag, List, Text, lenient_object};
use model::attribute::{ENTERPRISE, SLACK_GUEST, SLACK_PROFILE};

lenient_object! {
    /// A user resource. What is not read here is not compared either.
    WireUser {
        id: Text = "id",
        user_name: Text = "userName",
        name: Name = "name",
        display_name: Text = "displayName",
        profile_url: Text = "profileUrl",
        title: Text = "title",
        timezone: Text = "timezone",
        active: Flag = "active",
        emails: List<Element> = "emails",
        photos: List<Element> = "photos",
        addresses: List<Address> = "addresses",
        phone_numbers: List<Element> = "phoneNumbers",
        user_type: Text = "userType",
        roles: List<Element> = "roles",
        preferred_language: Text = "preferredLanguage",
        locale: Text = "locale",
        enterprise: Enterprise = ENTERPRISE,
        profile: Profile = SLACK_PROFILE,
        guest: Option<Guest> = SLACK_GUEST,
    }
}

lenient_object! {
    /// The parts of a name that Slack knows (sheet S6).
    Name {
        given_name: Text = "givenName",
        family_name: Text = "familyName",
        honorific_prefix: Text = "honorificPrefix",
    }
}

lenient_object! {
    /// An element of e-mails, phone numbers, photos or roles.
    Element {
        value: Text = "value",
        kind: Text = "type",
        primary: Flag = "primary",
    }
    text value
}

lenient_object! {
    /// A postal address.
    Address {
        street_address: Text = "streetAddress",
        locality: Text = "locality",
        region: Text = "region",
        postal_code: Text = "postalCode",
        country: Text = "country",
        formatted: Text = "formatted",
        kind: Text = "type",
        primary: Flag = "primary",
    }
}

lenient_object! {
    /// The enterprise extension (RFC 7643 §4.3).
    Enterprise {
        employee_number: Text = "employeeNumber",
        cost_center: Text = "costCenter",
        organization: Text = "organization",
        division: Text = "division",
        department: Text = "department",
        manager: Manager = "manager",
    }
}

lenient_object! {
    /// A manager: `managerId` at Slack (sheet S6), `value` in the RFC; some services answer a bare text.
    Manager {
        value: Text = "value",
        manager_id: Text = "managerId",
    }
    text value
}

lenient_object! {
    /// Slack's profile extension.
    Profile {
        start_date: Text = "startDate",
    }
}

lenient_object! {
    /// Slack's guest extension; its presence alone makes a guest (sheet S5).
    Guest {
        expiration: Text = "expiration",
    }
}
