//! The schema of the store, and its versions.

use rusqlite::Connection;

use super::error::StoreError;

/// Says whose file it is (`PRAGMA application_id`): the letters `pfsn`.
pub(super) const APPLICATION_ID: i32 = 0x7066_736e;

/// The step to each version of the schema (`PRAGMA user_version`) from the one before. A step that was
/// released never changes.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];

/// Brings a file up to the present version, in one transaction. A file of a newer version stays as it is.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    apply(connection, &MIGRATIONS)
}

fn apply(connection: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    let found = version(connection)?;
    if found > migrations.len() {
        return Err(StoreError::Newer { version: found });
    }
    if found == migrations.len() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for migration in &migrations[found..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(
        None,
        "user_version",
        i64::try_from(migrations.len()).unwrap_or(0),
    )?;
    Ok(transaction.commit()?)
}

/// Fails if a reader does not know the schema of a file.
pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    match version(connection)? {
        0 => Err(StoreError::Corrupt("it has no schema".to_owned())),
        version if version > MIGRATIONS.len() => Err(StoreError::Newer { version }),
        version if version < MIGRATIONS.len() => Err(StoreError::Older),
        _ => Ok(()),
    }
}

/// The version of a file's schema: 0 without one.
pub(super) fn version(connection: &Connection) -> Result<usize, StoreError> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::store::codes::{OUTCOMES, VIAS, state_code};
    use crate::model::{Closed, Outcome, State};

    const OLD: &str = "CREATE TABLE fruit (name TEXT) STRICT; INSERT INTO fruit VALUES ('pear');";
    const NEW: &str =
        "ALTER TABLE fruit ADD COLUMN colour TEXT; UPDATE fruit SET colour = 'green';";

    #[test]
    fn a_file_of_an_older_version_is_migrated_and_keeps_its_rows() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &[OLD]).unwrap();
        assert_eq!(version(&connection).unwrap(), 1);
        apply(&mut connection, &[OLD, NEW]).unwrap();
        assert_eq!(version(&connection).unwrap(), 2);
        let row = connection.query_row("SELECT name, colour FROM fruit", (), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        });
        assert_eq!(row.unwrap(), ("pear".to_owned(), "green".to_owned()));
    }

    #[test]
    fn a_failed_migration_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &[OLD]).unwrap();
        apply(&mut connection, &[OLD, "DROP TABLE fruit; nonsense"]).unwrap_err();
        let count = connection.query_row("SELECT count(*) FROM fruit", (), |row| row.get(0));
        assert_eq!((count.unwrap(), version(&connection).unwrap()), (1, 1));
    }

    #[test]
    fn a_newer_version_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &[OLD, NEW]).unwrap();
        let error = apply(&mut connection, &[OLD]).unwrap_err();
        assert!(matches!(error, StoreError::Newer { version: 2 }), "{error}");
    }

    #[test]
    fn the_view_has_the_words_of_the_records() {
        let words = |value: u8, name: &str| format!("WHEN {value} THEN '{name}'");
        for (code, outcome) in (0..).zip(&OUTCOMES) {
            assert!(MIGRATIONS[0].contains(&words(code, outcome.name())), "{outcome:?}");
        }
        let closed = State::Closed(Closed::example(Outcome::Ok));
        for state in [State::Started, State::Connected, closed] {
            let words = words(state_code(&state), state.name());
            assert!(MIGRATIONS[0].contains(&words), "{state:?}");
        }
        assert!(MIGRATIONS[0].contains(&words(0, VIAS[0].name())));
        assert!(MIGRATIONS[0].contains(&format!("ELSE '{}'", VIAS[1].name())));
    }
}
