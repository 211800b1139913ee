//! Every kind of fault, for a few rounds with a fixed seed; `cargo xtask chaos` runs them at full length. A row that
//! cannot run on a machine is reported on standard error and does not fail.

use areyouj_tests::chaos::ROWS;

/// Any number works; a fixed one makes runs comparable.
const SEED: u64 = 1;

fn run_few_rounds(name: &str) {
    for row in ROWS.iter().filter(|row| row.name == name) {
        let report = row.run(SEED, row.test_rounds, false);
        if let Some(why) = &report.skipped {
            eprintln!("SKIPPED: {name}: {why}");
        }
        let command = row.command(SEED, row.test_rounds);
        assert!(report.violations.is_empty(), "{report}\nrepeat it with: {command}");
    }
}

macro_rules! rows {
    ($($test:ident = $name:literal,)*) => {
        $(
            #[test]
            fn $test() {
                run_few_rounds($name);
            }
        )*

        #[test]
        fn every_row_has_a_test() {
            let run = [$($name),*];
            let all: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
            assert_eq!(all, run);
        }
    };
}

rows! {
    killed_daemons_lose_nothing = "daemon",
    killed_clients_leave_nothing_incomplete = "clients",
    killed_claudes_resume = "claude",
    killed_hosts_resume = "host",
    all_processes_killed_at_once_resume = "everything",
    concurrent_starts_result_in_one_daemon = "races",
    no_process_survives_its_session = "escapes",
    stopped_processes_resume = "stopped",
    a_changed_clock_has_no_effect = "clock",
    a_full_disk_rejects_work_and_recovers = "full-disk",
    a_power_failure_loses_no_acknowledged_message = "power",
    exhausted_descriptors_lose_nothing = "descriptors",
    exhausted_processes_lose_nothing = "processes",
    bad_clients_do_not_affect_others = "bad-clients",
    flipped_bits_are_detected = "flips",
    a_newer_version_replaces_an_older_one = "upgrades",
}
