//! How a value of a row is written to a column and read from it.

use std::collections::BTreeMap;

use rusqlite::Row;
use rusqlite::types::{ToSqlOutput, ValueRef};
use serde::de::IntoDeserializer;
use serde::de::value::Error as WordError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::StoreError;
use areyouj_core::orchestrator::{
    ActorKind, Answer, Driver, EntryBody, Goal, HostKey, MessageState, Pause, PermissionKind,
    PermissionState, Problem, Refusals, SessionId, Status, StatusSource, ToolInput, rules,
};

/// A value that can be stored in a column.
pub(super) trait Cell: Sized {
    /// Converts the value for SQLite.
    fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError>;

    /// Converts a value from SQLite. A value that [`Cell::bind`] cannot have written is damage.
    fn read(value: ValueRef<'_>) -> Result<Self, StoreError>;
}

/// The columns of a row, from left to right.
pub(super) struct Cells<'row> {
    row: &'row Row<'row>,
    next: usize,
}

impl<'row> Cells<'row> {
    /// Starts at the first column.
    pub(super) fn of(row: &'row Row<'row>) -> Cells<'row> {
        Cells { row, next: 0 }
    }

    /// The value of the next column.
    pub(super) fn take<T: Cell>(&mut self) -> Result<T, StoreError> {
        let index = self.next;
        self.next += 1;
        T::read(self.row.get_ref(index)?).map_err(|error| match error {
            StoreError::Corrupt(what) => {
                let column = self.row.as_ref().column_name(index).unwrap_or("?");
                StoreError::Corrupt(format!("{what} in column {column}"))
            }
            other => other,
        })
    }
}

fn not_a(expected: &str) -> StoreError {
    StoreError::Corrupt(format!("a value that is not {expected}"))
}

fn number(value: ValueRef<'_>) -> Result<i64, StoreError> {
    value.as_i64().map_err(|_| not_a("a number"))
}

fn text(value: ValueRef<'_>) -> Result<&str, StoreError> {
    value.as_str().map_err(|_| not_a("text"))
}

impl<T: Cell> Cell for Option<T> {
    fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError> {
        match self {
            Some(value) => value.bind(),
            None => Ok(ToSqlOutput::Borrowed(ValueRef::Null)),
        }
    }

    fn read(value: ValueRef<'_>) -> Result<Option<T>, StoreError> {
        if value == ValueRef::Null { Ok(None) } else { T::read(value).map(Some) }
    }
}

/// SQLite's integers are signed.
impl Cell for u64 {
    fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError> {
        match i64::try_from(*self) {
            Ok(number) => Ok(number.into()),
            Err(_) => Err(StoreError::Failed(format!("{self} is too large for the database"))),
        }
    }

    fn read(value: ValueRef<'_>) -> Result<u64, StoreError> {
        u64::try_from(number(value)?).map_err(|_| not_a("a number from 0 up"))
    }
}

impl Cell for u32 {
    fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError> {
        Ok((*self).into())
    }

    fn read(value: ValueRef<'_>) -> Result<u32, StoreError> {
        u32::try_from(number(value)?).map_err(|_| not_a("a number of 32 bits"))
    }
}

impl Cell for i64 {
    fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError> {
        Ok((*self).into())
    }

    fn read(value: ValueRef<'_>) -> Result<i64, StoreError> {
        number(value)
    }
}

impl Cell for bool {
    fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError> {
        Ok((*self).into())
    }

    fn read(value: ValueRef<'_>) -> Result<bool, StoreError> {
        match number(value)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(not_a("0 or 1")),
        }
    }
}

impl Cell for f64 {
    fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError> {
        Ok((*self).into())
    }

    fn read(value: ValueRef<'_>) -> Result<f64, StoreError> {
        value.as_f64().map_err(|_| not_a("a number"))
    }
}

impl Cell for String {
    fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError> {
        Ok(self.as_str().into())
    }

    fn read(value: ValueRef<'_>) -> Result<String, StoreError> {
        text(value).map(str::to_owned)
    }
}

impl Cell for HostKey {
    fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }

    fn read(value: ValueRef<'_>) -> Result<HostKey, StoreError> {
        let bytes = value.as_blob().ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(HostKey).ok_or_else(|| not_a("a key"))
    }
}

impl Cell for SessionId {
    fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError> {
        Ok(self.as_str().into())
    }

    fn read(value: ValueRef<'_>) -> Result<SessionId, StoreError> {
        text(value)?.parse().map_err(|_| not_a("a session id"))
    }
}

/// With hyphens and in lower case, so that a prefix of an id is a prefix of its text.
impl Cell for Uuid {
    fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError> {
        Ok(self.hyphenated().to_string().into())
    }

    fn read(value: ValueRef<'_>) -> Result<Uuid, StoreError> {
        text(value)?.parse().map_err(|_| not_a("a UUID"))
    }
}

/// Enums without fields are stored as their serde names.
macro_rules! words {
    ($($word:ident),+ $(,)?) => {$(
        impl Cell for $word {
            fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError> {
                match serde_json::to_value(self) {
                    Ok(Value::String(word)) => Ok(word.into()),
                    _ => Err(StoreError::Failed(format!("{self:?} has no serde name"))),
                }
            }

            fn read(value: ValueRef<'_>) -> Result<$word, StoreError> {
                $word::deserialize(text(value)?.into_deserializer())
                    .map_err(|error: WordError| StoreError::Corrupt(error.to_string()))
            }
        }
    )+};
}

words!(ActorKind, Driver, Goal, MessageState, PermissionKind, PermissionState, Status, StatusSource);

/// A name, or NULL for a queue that is not paused.
impl Cell for Pause {
    fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError> {
        Ok(self.word().map_or(ToSqlOutput::Borrowed(ValueRef::Null), ToSqlOutput::from))
    }

    fn read(value: ValueRef<'_>) -> Result<Pause, StoreError> {
        if value == ValueRef::Null {
            return Ok(Pause::default());
        }
        Pause::from_word(text(value)?).ok_or_else(|| not_a("a reason for a pause"))
    }
}

/// Structured values are stored as JSON.
macro_rules! json {
    ($($shape:ty),+ $(,)?) => {$(
        impl Cell for $shape {
            fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError> {
                to_json(self)
            }

            fn read(value: ValueRef<'_>) -> Result<$shape, StoreError> {
                serde_json::from_str(text(value)?).map_err(|error| StoreError::Corrupt(error.to_string()))
            }
        }
    )+};
}

json!(Answer, BTreeMap<String, String>, EntryBody, Problem, Refusals);

/// Stored completely, at any depth.
impl Cell for ToolInput {
    fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError> {
        Ok(self.text().into_owned().into())
    }

    fn read(value: ValueRef<'_>) -> Result<ToolInput, StoreError> {
        ToolInput::parse(text(value)?).map_err(|error| StoreError::Corrupt(error.to_string()))
    }
}

/// The rules that Claude suggests.
impl Cell for Vec<Value> {
    fn bind(&self) -> Result<ToSqlOutput<'_>, StoreError> {
        to_json(self)
    }

    fn read(value: ValueRef<'_>) -> Result<Vec<Value>, StoreError> {
        rules(text(value)?).map_err(|error| StoreError::Corrupt(error.to_string()))
    }
}

fn to_json<T: Serialize>(value: &T) -> Result<ToSqlOutput<'static>, StoreError> {
    match serde_json::to_string(value) {
        Ok(text) => Ok(text.into()),
        Err(error) => Err(StoreError::Failed(format!("a value cannot be written as JSON: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use areyouj_core::orchestrator::PauseReason;

    #[test]
    fn a_number_too_large_for_the_database_is_rejected_and_not_changed() {
        assert!(i64::MAX.unsigned_abs().bind().is_ok());
        assert!(matches!((i64::MAX.unsigned_abs() + 1).bind(), Err(StoreError::Failed(_))));
    }

    #[test]
    fn a_value_that_cannot_have_been_written_is_damage() {
        assert!(matches!(u64::read(ValueRef::Integer(-1)), Err(StoreError::Corrupt(_))));
        assert!(matches!(u32::read(ValueRef::Integer(i64::MAX)), Err(StoreError::Corrupt(_))));
        assert!(matches!(bool::read(ValueRef::Integer(2)), Err(StoreError::Corrupt(_))));
        assert!(matches!(String::read(ValueRef::Null), Err(StoreError::Corrupt(_))));
        assert!(matches!(Status::read(ValueRef::Text(b"sleepy")), Err(StoreError::Corrupt(_))));
        assert!(matches!(SessionId::read(ValueRef::Text(b"short")), Err(StoreError::Corrupt(_))));
        assert!(matches!(Pause::read(ValueRef::Text(b"sleepy")), Err(StoreError::Corrupt(_))));
        assert!(matches!(EntryBody::read(ValueRef::Text(b"{")), Err(StoreError::Corrupt(_))));
    }

    #[test]
    fn a_pause_is_stored_as_a_name_and_the_lack_of_one_as_null() {
        for (pause, stored) in [
            (Pause::default(), ValueRef::Null),
            (Pause::HELD, ValueRef::Text(b"person")),
            (Pause::because(PauseReason::Failed).held(), ValueRef::Text(b"failed held")),
        ] {
            assert_eq!(pause.bind().unwrap(), ToSqlOutput::Borrowed(stored));
            assert_eq!(Pause::read(stored).unwrap(), pause);
        }
    }

    #[test]
    fn an_enum_is_stored_as_its_name_on_the_wire() {
        let bound = MessageState::Interrupted.bind().unwrap();
        assert_eq!(bound, ToSqlOutput::from("interrupted".to_owned()));
    }

    /// Nested arrays of this depth.
    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn rows_of_older_versions_are_read_at_any_depth() {
        for levels in [63, 64, 100, 124, 125, 126] {
            let input = ToolInput::read(ValueRef::Text(nested(levels).as_bytes())).unwrap();
            assert_eq!(input.bind().unwrap(), ToSqlOutput::from(nested(levels)));
            let call = format!(
                r#"{{"kind":"tool_call","tool_use_id":"t","tool":"T","input":{},"parent_tool_use_id":null}}"#,
                nested(levels)
            );
            let EntryBody::ToolCall { input: shown, .. } =
                EntryBody::read(ValueRef::Text(call.as_bytes())).unwrap()
            else {
                panic!("{call}")
            };
            assert_eq!(&shown, input.shown());
            let rules = format!("[{},{{}}]", nested(levels));
            let rules = Vec::<Value>::read(ValueRef::Text(rules.as_bytes())).unwrap();
            assert_eq!(rules.len(), if levels <= 64 { 2 } else { 1 }, "{levels}");
        }
    }
}
