//! The documented schema of the JSON records.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = include_str!("../../../../docs/records.schema.json");
    jsonschema::draft202012::new(&serde_json::from_str(schema).unwrap()).unwrap()
});

/// Parses a line, which must be a record as the schema describes it.
pub fn parse_record(line: &str) -> Value {
    let record = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let errors: Vec<_> = SCHEMA.iter_errors(&record).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "not as docs/records.schema.json says: {line}: {errors:#?}");
    record
}
