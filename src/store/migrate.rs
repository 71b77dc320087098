//! Numbered steps from an empty file to the tables of today. A step that has left this house is never edited.

use rusqlite::Connection;

use crate::store::{OpenErrorKind, Schema};

/// Brings the tables up to date; refuses what is not ours or was written by a newer Fanfare.
pub(super) fn migrate<S: Schema>(connection: &mut Connection) -> Result<(), OpenErrorKind> {
    let found = version(connection)?;
    let known = S::MIGRATIONS.len();
    let application = number(connection, "application_id")?;
    if application != i64::from(S::APPLICATION_ID)
        && (found > 0 || application != 0 || has_tables(connection)?)
    {
        return Err(OpenErrorKind::Foreign { wanted: S::NAME });
    }
    if found > known {
        return Err(OpenErrorKind::Newer { found, known });
    }
    for (step, sql) in S::MIGRATIONS.iter().enumerate().skip(found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "application_id", S::APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", i64::try_from(step + 1).unwrap_or(i64::MAX))?;
        transaction.commit()?;
    }
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<usize> {
    // A negative version was never ours; as the largest it is refused as newer.
    Ok(usize::try_from(number(connection, "user_version")?).unwrap_or(usize::MAX))
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ClientSchema;
    use crate::store::ProxySchema;

    /// A schema of tests: two steps.
    #[derive(Debug)]
    struct Two;

    impl Schema for Two {
        type Write = ();
        type Rows = ();
        const NAME: &'static str = "two";
        const APPLICATION_ID: i32 = 77;
        const MIGRATIONS: &'static [&'static str] =
            &["CREATE TABLE one (n INTEGER NOT NULL) STRICT;", "ALTER TABLE one ADD COLUMN m INTEGER;"];
        fn apply(_: &Connection, _: &()) -> rusqlite::Result<()> {
            Ok(())
        }
        fn load(_: &Connection) -> rusqlite::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_step_is_taken_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(Two::MIGRATIONS[0]).unwrap();
        connection.pragma_update(None, "application_id", 77).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        migrate::<Two>(&mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), 2);
        connection.execute("INSERT INTO one (n, m) VALUES (1, 2)", []).unwrap();
        migrate::<Two>(&mut connection).unwrap();
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate::<ProxySchema>(&mut connection).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let refusal = migrate::<ProxySchema>(&mut connection).unwrap_err();
        assert!(refusal.to_string().contains("newer"), "{refusal}");
        assert_eq!(version(&connection).unwrap(), 99);
    }

    #[test]
    fn a_database_of_somebody_else_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE theirs (n INTEGER)").unwrap();
        assert!(migrate::<ProxySchema>(&mut connection).is_err());
        let mut connection = Connection::open_in_memory().unwrap();
        migrate::<ClientSchema>(&mut connection).unwrap();
        let refusal = migrate::<ProxySchema>(&mut connection).unwrap_err();
        assert!(refusal.to_string().contains("not a store of a proxy"), "{refusal}");
    }
}
