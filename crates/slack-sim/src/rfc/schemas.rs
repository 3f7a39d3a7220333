//! The schemas of RFC 7643 §4 and §8.7, in our own words where they are prose.

use serde_json::{Value, json};

use crate::schema::{Attribute, Schema, Type, find};
use crate::scim::path::AttributePath;

const PRIMARY: Attribute = Attribute::new("primary", Type::Boolean, "Whether this is the preferred value.");
const DISPLAY: Attribute = Attribute::text("display", "The value in a form for people.");
const TYPE: Attribute = Attribute::text("type", "What the value is used for.");

const ADDRESS: &[Attribute] = &[
    Attribute::text("formatted", "The whole address, ready to print."),
    Attribute::text("streetAddress", "Street and number."),
    Attribute::text("locality", "City."),
    Attribute::text("region", "State or region."),
    Attribute::text("postalCode", "Zip code."),
    Attribute::text("country", "Country, as a code of ISO 3166-1."),
    TYPE.canonical(&["work", "home", "other"]),
    PRIMARY,
];

const EMAIL: &[Attribute] =
    &[Attribute::text("value", "The address."), DISPLAY, TYPE.canonical(&["work", "home", "other"]), PRIMARY];

const PHONE: &[Attribute] = &[
    Attribute::text("value", "The number."),
    DISPLAY,
    TYPE.canonical(&["work", "home", "mobile", "fax", "pager", "other"]),
    PRIMARY,
];

const PHOTO: &[Attribute] = &[
    Attribute::new("value", Type::Reference, "Where the picture is.").exact().references(&["external"]),
    DISPLAY,
    TYPE.canonical(&["photo", "thumbnail"]),
    PRIMARY,
];

const PLAIN: &[Attribute] = &[Attribute::text("value", "The value."), DISPLAY, TYPE, PRIMARY];

const CERTIFICATE: &[Attribute] =
    &[Attribute::new("value", Type::Binary, "A certificate in DER, base64.").exact(), DISPLAY, TYPE, PRIMARY];

pub(crate) const USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:User",
    name: "User",
    doc: "User Account",
    attributes: &[
        Attribute::text("userName", "The name under which the person signs in.").required().unique("server"),
        Attribute::complex(
            "name",
            &[
                Attribute::text("formatted", "The whole name, ready to print."),
                Attribute::text("familyName", "The last name."),
                Attribute::text("givenName", "The first name."),
                Attribute::text("middleName", "The names in between."),
                Attribute::text("honorificPrefix", "What goes before the name."),
                Attribute::text("honorificSuffix", "What goes after the name."),
            ],
            "The parts of the person's name.",
        ),
        Attribute::text("displayName", "The name that others see."),
        Attribute::text("nickName", "What friends call the person."),
        Attribute::new("profileUrl", Type::Reference, "Where the profile is.")
            .exact()
            .references(&["external"]),
        Attribute::text("title", "What the person does."),
        Attribute::text("userType", "How the person belongs to the organization."),
        Attribute::text("preferredLanguage", "The languages that the person prefers."),
        Attribute::text("locale", "How the person writes dates and numbers."),
        Attribute::text("timezone", "The Olson name of the person's time zone."),
        Attribute::new("active", Type::Boolean, "Whether the account is in use."),
        Attribute::text("password", "The password, in clear.").mutability("writeOnly").returned("never"),
        Attribute::list("emails", EMAIL, "The person's e-mail addresses."),
        Attribute::list("phoneNumbers", PHONE, "The person's phone numbers."),
        Attribute::list("ims", PLAIN, "The person's instant messaging addresses."),
        Attribute::list("photos", PHOTO, "Pictures of the person."),
        Attribute::list("addresses", ADDRESS, "The person's postal addresses."),
        Attribute::list(
            "groups",
            &[
                Attribute::text("value", "The group's id.").mutability("readOnly"),
                Attribute::new("$ref", Type::Reference, "Where the group is.")
                    .mutability("readOnly")
                    .exact()
                    .references(&["Group"]),
                Attribute::text("display", "The group's name.").mutability("readOnly"),
                Attribute::text("type", "How the person is in it.")
                    .mutability("readOnly")
                    .canonical(&["direct", "indirect"]),
            ],
            "The groups that the person is in.",
        )
        .mutability("readOnly"),
        Attribute::list("entitlements", PLAIN, "What the person may use."),
        Attribute::list("roles", PLAIN, "The person's roles."),
        Attribute::list("x509Certificates", CERTIFICATE, "The person's certificates."),
    ],
};

const ENTERPRISE: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    name: "EnterpriseUser",
    doc: "Enterprise User",
    attributes: &[
        Attribute::text("employeeNumber", "The number of the employee."),
        Attribute::text("costCenter", "The cost center."),
        Attribute::text("organization", "The organization."),
        Attribute::text("division", "The division."),
        Attribute::text("department", "The department."),
        Attribute::complex(
            "manager",
            &[
                Attribute::text("value", "The manager's id."),
                Attribute::new("$ref", Type::Reference, "Where the manager is.")
                    .exact()
                    .references(&["User"]),
                Attribute::text("displayName", "The manager's name.").mutability("readOnly"),
            ],
            "Whom the person reports to.",
        ),
    ],
};

pub(crate) const GROUP: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    doc: "Group",
    attributes: &[
        Attribute::text("displayName", "The name of the group.").required(),
        Attribute::list(
            "members",
            &[
                Attribute::text("value", "The member's id.").mutability("immutable"),
                Attribute::new("$ref", Type::Reference, "Where the member is.")
                    .mutability("immutable")
                    .exact()
                    .references(&["User", "Group"]),
                Attribute::text("type", "What the member is.")
                    .mutability("immutable")
                    .canonical(&["User", "Group"]),
            ],
            "Who is in the group.",
        ),
    ],
};

/// RFC 7643 §3.1: what every resource has.
const COMMON: &[Attribute] = &[
    Attribute::text("id", "The identifier.")
        .mutability("readOnly")
        .returned("always")
        .unique("server")
        .exact(),
    Attribute::text("externalId", "The client's identifier.").exact(),
    Attribute::complex(
        "meta",
        &[
            Attribute::text("resourceType", "The type.").mutability("readOnly").exact(),
            Attribute::new("created", Type::DateTime, "When it was made.").mutability("readOnly"),
            Attribute::new("lastModified", Type::DateTime, "When it was changed.").mutability("readOnly"),
            Attribute::new("location", Type::Reference, "Where it is.").mutability("readOnly").exact(),
            Attribute::text("version", "Its version.").mutability("readOnly").exact(),
        ],
        "What the service knows of it.",
    )
    .mutability("readOnly"),
];

/// A type of resource.
#[derive(Debug)]
pub(crate) struct Kind {
    pub name: &'static str,
    pub endpoint: &'static str,
    pub schema: Schema,
    pub extensions: &'static [Schema],
}

pub(crate) static USERS: Kind =
    Kind { name: "User", endpoint: "Users", schema: USER, extensions: &[ENTERPRISE] };
pub(crate) static GROUPS: Kind = Kind { name: "Group", endpoint: "Groups", schema: GROUP, extensions: &[] };

/// What a path points at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// The extension that the attribute is in; its object is a member of the resource.
    pub extension: Option<&'static str>,
    /// The attribute; `None` is the whole extension.
    pub attribute: Option<&'static Attribute>,
    pub sub: Option<&'static Attribute>,
}

impl Kind {
    /// Finds what a path points at; `None` where no schema has it.
    pub(crate) fn resolve(&self, path: &AttributePath) -> Option<Target> {
        let (extension, attributes) = match path.urn.as_deref() {
            None => (None, self.schema.attributes),
            Some(urn) if urn.eq_ignore_ascii_case(self.schema.id) => (None, self.schema.attributes),
            Some(urn) => {
                let extension = self.extensions.iter().find(|schema| schema.id.eq_ignore_ascii_case(urn))?;
                (Some(extension.id), extension.attributes)
            }
        };
        // RFC 7644 §3.5.2: it is a colon that ends the URN.
        if path.separator == Some('.') {
            return None;
        }
        if path.name.is_empty() {
            return extension.map(|id| Target { extension: Some(id), attribute: None, sub: None });
        }
        let common = || extension.is_none().then(|| find(COMMON, &path.name)).flatten();
        let attribute = find(attributes, &path.name).or_else(common)?;
        let sub = match path.sub.as_deref() {
            None => None,
            Some(name) => Some(attribute.sub(name)?),
        };
        Some(Target { extension, attribute: Some(attribute), sub })
    }

    /// Whether letter case counts at a path (RFC 7643 §2.2, `caseExact`).
    pub(crate) fn case_exact(&self, path: &AttributePath) -> bool {
        self.resolve(path).is_some_and(|target| {
            let value = || {
                target
                    .attribute
                    .filter(|attribute| attribute.multi)
                    .and_then(|attribute| attribute.sub("value"))
            };
            target.sub.or_else(value).or(target.attribute).is_some_and(|attribute| attribute.case_exact)
        })
    }

    /// The entry in `/ResourceTypes` (RFC 7643 §6).
    pub(crate) fn json(&self, base: &str) -> Value {
        let extensions: Vec<Value> =
            self.extensions.iter().map(|schema| json!({ "schema": schema.id, "required": false })).collect();
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": self.name,
            "name": self.name,
            "endpoint": format!("/{}", self.endpoint),
            "description": self.schema.doc,
            "schema": self.schema.id,
            "schemaExtensions": extensions,
            "meta": { "resourceType": "ResourceType", "location": format!("{base}/scim/v2/ResourceTypes/{}", self.name) },
        })
    }
}

/// The entries of `/Schemas` (RFC 7643 §7).
pub(crate) fn schemas(base: &str) -> Vec<Value> {
    [USER, ENTERPRISE, GROUP]
        .iter()
        .map(|schema| {
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
                "id": schema.id,
                "name": schema.name,
                "description": schema.doc,
                "attributes": schema.attributes.iter().map(Attribute::json).collect::<Vec<_>>(),
                "meta": { "resourceType": "Schema", "location": format!("{base}/scim/v2/Schemas/{}", schema.id) },
            })
        })
        .collect()
}

/// `/ServiceProviderConfig` (RFC 7643 §5).
pub(crate) fn service_provider_config(base: &str, most: usize) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": most },
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "A bearer token in the Authorization header.",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{base}/scim/v2/ServiceProviderConfig") },
    })
}
