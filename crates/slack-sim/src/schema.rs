//! Definitions of attributes (RFC 7643 §7), as constants, and as the JSON of `/Schemas`.

use serde_json::{Value, json};

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    Boolean,
    DateTime,
    Reference,
    Binary,
    Complex,
}

/// An attribute of a schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attribute {
    pub name: &'static str,
    pub doc: &'static str,
    pub kind: Type,
    pub multi: bool,
    pub required: bool,
    pub case_exact: bool,
    pub mutability: &'static str,
    pub returned: &'static str,
    pub uniqueness: &'static str,
    pub canonical: &'static [&'static str],
    pub references: &'static [&'static str],
    pub subs: &'static [Self],
}

impl Attribute {
    /// A single attribute with the defaults of RFC 7643 §2.2.
    pub(crate) const fn new(name: &'static str, kind: Type, doc: &'static str) -> Self {
        Self {
            name,
            doc,
            kind,
            multi: false,
            required: false,
            case_exact: false,
            mutability: "readWrite",
            returned: "default",
            uniqueness: "none",
            canonical: &[],
            references: &[],
            subs: &[],
        }
    }

    pub(crate) const fn text(name: &'static str, doc: &'static str) -> Self {
        Self::new(name, Type::Text, doc)
    }

    pub(crate) const fn complex(name: &'static str, subs: &'static [Self], doc: &'static str) -> Self {
        Self { subs, ..Self::new(name, Type::Complex, doc) }
    }

    pub(crate) const fn list(name: &'static str, subs: &'static [Self], doc: &'static str) -> Self {
        Self { multi: true, ..Self::complex(name, subs, doc) }
    }

    pub(crate) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(crate) const fn exact(self) -> Self {
        Self { case_exact: true, ..self }
    }

    pub(crate) const fn mutability(self, mutability: &'static str) -> Self {
        Self { mutability, ..self }
    }

    pub(crate) const fn returned(self, returned: &'static str) -> Self {
        Self { returned, ..self }
    }

    pub(crate) const fn unique(self, uniqueness: &'static str) -> Self {
        Self { uniqueness, ..self }
    }

    pub(crate) const fn canonical(self, canonical: &'static [&'static str]) -> Self {
        Self { canonical, ..self }
    }

    pub(crate) const fn references(self, references: &'static [&'static str]) -> Self {
        Self { references, ..self }
    }

    /// The sub-attribute of that name, in any letter case.
    pub(crate) fn sub(&self, name: &str) -> Option<&'static Self> {
        find(self.subs, name)
    }

    /// The definition as RFC 7643 §7 writes it.
    pub(crate) fn json(&self) -> Value {
        let mut body = json!({
            "name": self.name,
            "type": match self.kind {
                Type::Text => "string",
                Type::Boolean => "boolean",
                Type::DateTime => "dateTime",
                Type::Reference => "reference",
                Type::Binary => "binary",
                Type::Complex => "complex",
            },
            "multiValued": self.multi,
            "description": self.doc,
            "required": self.required,
            "caseExact": self.case_exact,
            "mutability": self.mutability,
            "returned": self.returned,
            "uniqueness": self.uniqueness,
        });
        if !self.canonical.is_empty() {
            body["canonicalValues"] = json!(self.canonical);
        }
        if !self.references.is_empty() {
            body["referenceTypes"] = json!(self.references);
        }
        if !self.subs.is_empty() {
            body["subAttributes"] = self.subs.iter().map(Self::json).collect();
        }
        body
    }
}

/// The attribute of that name in a list, in any letter case.
pub(crate) fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// A schema: a named list of attributes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema {
    pub id: &'static str,
    pub name: &'static str,
    pub doc: &'static str,
    pub attributes: &'static [Attribute],
}
