//! Slack's discovery endpoints (S4), in our own words where they are prose.

use http::Method;
use serde_json::{Value, json};

use crate::errors::{Answered, Refusal, Version};
use crate::reply::Reply;
use crate::schema::{Attribute, Schema, Type};
use crate::slack::Call;
use crate::switches::{Heed, Switches};

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

const PRIMARY: Attribute =
    Attribute::new("primary", Type::Boolean, "Whether this is the preferred one of the list.");

const USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:User",
    name: "User",
    doc: "Core User",
    attributes: &[
        Attribute::text("id", "The identifier that the service gave the account.")
            .required()
            .mutability("readOnly")
            .returned("always")
            .unique("global"),
        Attribute::text("userName", "The name of the account, 21 characters at most.")
            .required()
            .unique("server"),
        Attribute::text("nickName", "The same as userName."),
        Attribute::complex(
            "name",
            &[
                Attribute::text("familyName", "The last name."),
                Attribute::text("givenName", "The first name."),
                Attribute::text("honorificPrefix", "What goes before the name, such as Dr."),
            ],
            "The parts of the person's name.",
        ),
        Attribute::list(
            "emails",
            &[
                Attribute::text("value", "The address.").required(),
                Attribute::text("type", "What the address is used for.")
                    .canonical(&["work", "home", "other"]),
                PRIMARY,
            ],
            "The primary and the secondary e-mail address.",
        )
        .required(),
        Attribute::list(
            "photos",
            &[
                Attribute::text("value", "Where the picture is.").required(),
                Attribute::text("type", "Its size.").canonical(&["photo", "thumbnail"]),
                Attribute::new("primary", Type::Boolean, "Whether this is the picture to show.")
                    .returned("never"),
            ],
            "The profile photo.",
        ),
        Attribute::list(
            "groups",
            &[
                Attribute::text("value", "The group's id.").required().mutability("readOnly"),
                Attribute::text("display", "The group's name.").mutability("readOnly"),
            ],
            "The groups that the person is in.",
        )
        .mutability("readOnly"),
        Attribute::new("active", Type::Boolean, "Whether the person can sign in."),
        Attribute::list(
            "addresses",
            &[
                Attribute::text("streetAddress", "Street and number."),
                Attribute::text("locality", "City."),
                Attribute::text("region", "State or region."),
                Attribute::text("postalCode", "Zip code."),
                Attribute::text("country", "Country."),
                Attribute::text("type", "What the address is used for.").returned("never"),
                Attribute::new("primary", Type::Boolean, "Whether this is the address to keep.")
                    .returned("never"),
            ],
            "The postal address.",
        ),
        Attribute::list(
            "phoneNumbers",
            &[
                Attribute::text("value", "The number.").required(),
                Attribute::text("type", "What kind of number it is.")
                    .canonical(&["work", "home", "mobile", "pager", "fax", "other"]),
                PRIMARY,
            ],
            "The two phone numbers.",
        ),
        Attribute::text("displayName", "The name that others see."),
        Attribute::text("profileUrl", "Where the profile is."),
        Attribute::text("userType", "How the person belongs to the company."),
        Attribute::text("title", "What the person does."),
        Attribute::text("preferredLanguage", "The language that the person prefers."),
        Attribute::text("locale", "How the person writes dates and numbers."),
        Attribute::text("timezone", "The Olson name of the person's time zone."),
        Attribute::text("password", "The first password.").mutability("writeOnly").returned("never"),
        Attribute::list(
            "roles",
            &[
                Attribute::text("value", "The role."),
                Attribute::text("type", "What kind of role it is."),
                PRIMARY,
            ],
            "The person's role.",
        ),
    ],
};

const ENTERPRISE: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    name: "EnterpriseUser",
    doc: "Attributes of people who work for an organization.",
    attributes: &[
        Attribute::text("employeeNumber", "The number of the employee."),
        Attribute::text("costCenter", "The cost center."),
        Attribute::text("organization", "The organization."),
        Attribute::text("division", "The division."),
        Attribute::text("department", "The department."),
        Attribute::complex(
            "manager",
            &[Attribute::text("managerId", "The id, primary e-mail or userName of the manager.").required()],
            "Whom the person reports to.",
        ),
    ],
};

const GUEST: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User",
    name: "SlackGuest",
    doc: "What makes an account a multi-channel guest.",
    attributes: &[
        Attribute::text("type", "The kind of guest; `multi` is the only one.")
            .required()
            .canonical(&["multi"]),
        Attribute::new("expiration", Type::DateTime, "When the account expires."),
        Attribute::list(
            "channels",
            &[
                Attribute::text("value", "The channel's id.").required().mutability("readOnly"),
                Attribute::text("display", "The channel's name.").mutability("readOnly"),
            ],
            "The channels that the guest is in.",
        ),
    ],
};

const PROFILE: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:extension:slack:profile:2.0:User",
    name: "SlackProfile",
    doc: "Attributes of the profile at Slack.",
    attributes: &[Attribute::new("startDate", Type::DateTime, "When the person started.")],
};

const GROUP: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    doc: "Core Group",
    attributes: &[
        Attribute::text("id", "The identifier that the service gave the group.")
            .required()
            .mutability("readOnly")
            .returned("always")
            .unique("global"),
        Attribute::text("displayName", "The name of the group.")
            .required()
            .returned("always")
            .unique("server"),
        Attribute::list(
            "members",
            &[
                Attribute::text("value", "The member's id.").required().mutability("immutable"),
                Attribute::text("display", "The member's name.").mutability("immutable"),
            ],
            "The people in the group.",
        )
        .required(),
    ],
};

/// `ServiceProviderConfig(s)`, `ResourceTypes`, `Schemas`; anything else is `bad_endpoint`.
pub(crate) fn slack(call: &Call, switches: &Switches) -> Answered<Reply> {
    let body = match (call.version, call.collection, call.id) {
        (Version::V2, "ServiceProviderConfig", None) => singular_config(switches),
        (_, "ServiceProviderConfigs", None) => {
            service_provider_config(call.version == Version::V2 && switches.advertised_filter)
        }
        (Version::V2, "ResourceTypes", None) => resource_types(call.base, switches),
        // The listing says that they are there: `meta.location` is `…/ResourceTypes/User`.
        (Version::V2, "ResourceTypes", Some(name)) => {
            let mut listed = resource_types(call.base, switches);
            let listed = listed["Resources"].as_array_mut().map(std::mem::take).unwrap_or_default();
            listed.into_iter().find(|kind| kind["id"] == name).ok_or_else(|| Refusal::code("bad_endpoint"))?
        }
        (_, "Schemas", None) => list(&resources(switches), switches),
        // S4: "Slack's own index is by these names, though the payload's ids are URNs".
        (_, "Schemas", Some(name)) => {
            let user = ["users", "user"].iter().any(|known| name.eq_ignore_ascii_case(known));
            let group = ["groups", "group"].iter().any(|known| name.eq_ignore_ascii_case(known));
            let wanted = |id: &str| {
                (user && id == USER.id) || (group && id == GROUP.id) || name.eq_ignore_ascii_case(id)
            };
            let found =
                resources(switches).into_iter().find(|schema| schema["id"].as_str().is_some_and(wanted));
            found.ok_or_else(|| Refusal::code("bad_endpoint"))?
        }
        _ => return Err(Refusal::code("bad_endpoint")),
    };
    if *call.method == Method::GET {
        Ok(Reply::json(200, &body))
    } else {
        Err(Refusal::code("method_not_allowed"))
    }
}

/// S4: "No `schemas`, `meta` or `documentationUri` key even on v2", and `filter.supported` is false though filters work.
fn service_provider_config(filter: bool) -> Value {
    json!({
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "Authentication Scheme using the OAuth Bearer Token Standard",
            "specUrl": "http://tools.ietf.org/html/draft-ietf-oauth-v2-bearer-01",
            "primary": true,
        }],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": filter, "maxResults": 0 },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": false },
        "xmlDataFormat": { "supported": false },
    })
}

/// The recordings are of the plural; of the singular, which a general client reads, nobody has shown the bytes.
fn singular_config(switches: &Switches) -> Value {
    let recorded = service_provider_config(switches.advertised_filter);
    if switches.malformed_config {
        return recorded;
    }
    let mut config = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"] });
    if let (Some(config), Value::Object(mut recorded)) = (config.as_object_mut(), recorded) {
        recorded.shift_remove("xmlDataFormat");
        config.extend(recorded);
    }
    if let Some(scheme) = config["authenticationSchemes"][0].as_object_mut()
        && let Some(url) = scheme.shift_remove("specUrl")
    {
        scheme.insert("specUri".to_owned(), url);
    }
    config
}

fn resource_types(base: &str, switches: &Switches) -> Value {
    let kind = |name: &str, doc: &str, schema: &str| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": name,
            "name": name,
            "endpoint": format!("/{name}s"),
            "description": doc,
            "schema": schema,
            "meta": { "location": format!("{base}/scim/v2/ResourceTypes/{name}"), "resourceType": "ResourceType" },
        })
    };
    let mut user = kind("User", "User Account", USER.id);
    let mut extensions = vec![ENTERPRISE.id, GUEST.id, PROFILE.id];
    // S4: the directory extension "is documented nowhere and never seen in a user body", and no schema describes it.
    if switches.malformed_schemas {
        extensions.insert(2, "urn:ietf:params:scim:schemas:extension:slack:directory:2.0:User");
    }
    user["schemaExtensions"] =
        extensions.iter().map(|schema| json!({ "schema": schema, "required": false })).collect();
    list(&[user, kind("Group", "Group", GROUP.id)], switches)
}

/// S4: "A `ListResponse` with **only** `schemas` and `Resources`", of which a general client makes nothing.
fn list(resources: &[Value], switches: &Switches) -> Value {
    if switches.malformed_schemas {
        return json!({ "schemas": [LIST], "Resources": resources });
    }
    let count = resources.len();
    json!({ "schemas": [LIST], "Resources": resources, "totalResults": count, "itemsPerPage": count, "startIndex": 1 })
}

fn resources(switches: &Switches) -> Vec<Value> {
    let plain = |schema: &Schema| {
        let mut attributes: Vec<Value> = schema.attributes.iter().map(Attribute::json).collect();
        // What is listed is stored: the real list says `readWrite` of channels that nobody could write (S6).
        if !switches.malformed_schemas && switches.guest_channels == Heed::Ignored {
            for attribute in attributes.iter_mut().filter(|attribute| attribute["name"] == "channels") {
                attribute["mutability"] = "readOnly".into();
            }
        }
        json!({
            "id": schema.id,
            "name": schema.name,
            "description": schema.doc,
            "attributes": attributes,
            "meta": { "resourceType": "schema", "location": format!("/v2/Schemas/{}", schema.id) },
        })
    };
    if !switches.malformed_schemas {
        let well_formed = |schema: &Schema| {
            let mut body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"] });
            if let (Some(body), Value::Object(rest)) = (body.as_object_mut(), plain(schema)) {
                body.extend(rest);
            }
            body["meta"]["resourceType"] = "Schema".into();
            body
        };
        return [USER, GROUP, ENTERPRISE, GUEST, PROFILE].iter().map(well_formed).collect();
    }
    vec![flatten_extensions(plain(&USER)), plain(&GROUP)]
}

/// S4, "Malformed": the extensions stand in the attributes of User "as bare scalars followed by an array of
/// sub-attributes", groups has the key `subattributes`, active is a string.
fn flatten_extensions(mut user: Value) -> Value {
    let Some(attributes) = user["attributes"].as_array_mut() else { return user };
    for attribute in attributes.iter_mut() {
        match attribute["name"].as_str() {
            Some("active") => attribute["type"] = "string".into(),
            Some("groups") => {
                if let Some(object) = attribute.as_object_mut()
                    && let Some(subs) = object.remove("subAttributes")
                {
                    object.insert("subattributes".to_owned(), subs);
                }
            }
            _ => {}
        }
    }
    for extension in [ENTERPRISE, GUEST, PROFILE] {
        let mut subs: Vec<Value> = extension.attributes.iter().map(Attribute::json).collect();
        for sub in &mut subs {
            // "Enterprise `manager.subAttributes` is an object, not an array", and dates are spelled `datetime`.
            if sub["name"] == "manager" {
                sub["subAttributes"] = sub["subAttributes"][0].take();
            }
            if sub["type"] == "dateTime" {
                sub["type"] = "datetime".into();
            }
        }
        attributes.extend([
            json!(extension.id),
            json!("complex"),
            json!(extension.id == ENTERPRISE.id),
            json!(extension.doc),
            json!("readWrite"),
            json!("default"),
            json!("none"),
            json!(false),
            json!(false),
            Value::Array(subs),
        ]);
    }
    user
}
