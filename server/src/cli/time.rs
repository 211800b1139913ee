//! Times and durations as text.

use std::time::{SystemTime, UNIX_EPOCH};

use areyouj_protocol::Timestamp;

/// The current time, in milliseconds since the Unix epoch.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The age in its largest unit: `now`, `42s`, `3m`, `5h`, `12d`, `2y`. A time in the future is `now`, because clocks
/// differ.
pub(crate) fn age(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.saturating_sub(then) / 1000;
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    const YEAR: u64 = 365 * DAY;
    match seconds {
        0 => "now".to_owned(),
        1..MINUTE => format!("{seconds}s"),
        MINUTE..HOUR => format!("{}m", seconds / MINUTE),
        HOUR..DAY => format!("{}h", seconds / HOUR),
        DAY..YEAR => format!("{}d", seconds / DAY),
        _ => format!("{}y", seconds / YEAR),
    }
}

/// The age for a sentence: `just now`, `3m ago`.
pub(crate) fn ago(now: Timestamp, then: Timestamp) -> String {
    match age(now, then).as_str() {
        "now" => "just now".to_owned(),
        age => format!("{age} ago"),
    }
}

/// A duration: `850ms`, `3.2s`, `4m05s`, `2h10m`.
pub(crate) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match milliseconds {
        0..1_000 => format!("{milliseconds}ms"),
        1_000..60_000 => format!("{seconds}.{}s", milliseconds % 1000 / 100),
        60_000..3_600_000 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_its_largest_unit() {
        const SECOND: u64 = 1000;
        for (milliseconds, text) in [
            (0, "now"),
            (999, "now"),
            (SECOND, "1s"),
            (59 * SECOND, "59s"),
            (60 * SECOND, "1m"),
            (3_599 * SECOND, "59m"),
            (3_600 * SECOND, "1h"),
            (86_400 * SECOND, "1d"),
            (400 * 86_400 * SECOND, "1y"),
        ] {
            assert_eq!(age(1 << 50, (1 << 50) - milliseconds), text);
        }
    }

    #[test]
    fn a_time_in_the_future_is_now() {
        assert_eq!(age(5, 50_000), "now");
        assert_eq!(ago(5, 50_000), "just now");
        assert_eq!(ago(90_000, 0), "1m ago");
    }

    #[test]
    fn a_duration_has_two_units_or_one_decimal_place() {
        assert_eq!(duration(850), "850ms");
        assert_eq!(duration(3_240), "3.2s");
        assert_eq!(duration(245_000), "4m05s");
        assert_eq!(duration(7_800_000), "2h10m");
    }
}
