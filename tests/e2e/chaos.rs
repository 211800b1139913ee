//! Every kind of fault for a few rounds with a fixed seed; `cargo xtask chaos` runs them at length. What cannot be tried
//! on a machine is said on standard error, and is no failure.

use areyouj_tests::chaos::ROWS;

/// Any number would do; a fixed one makes two runs try the same.
const SEED: u64 = 1;

fn few_rounds_of(name: &str) {
    for row in ROWS.iter().filter(|row| row.name == name) {
        let report = row.run(SEED, row.few, false);
        if let Some(why) = &report.skipped {
            eprintln!("SKIPPED: {name}: {why}");
        }
        let again = row.command(SEED, row.few);
        assert!(report.broken.is_empty(), "{report}\nrepeat it with: {again}");
    }
}

macro_rules! rows {
    ($($test:ident = $name:literal,)*) => {
        $(
            #[test]
            fn $test() {
                few_rounds_of($name);
            }
        )*

        #[test]
        fn every_row_is_run_here() {
            let run = [$($name),*];
            let there: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
            assert_eq!(there, run);
        }
    };
}

rows! {
    killed_daemons_lose_nothing = "daemon",
    killed_clients_leave_nothing_half_done = "clients",
    killed_claudes_come_back = "claude",
    killed_hosts_come_back = "host",
    everything_killed_at_once_comes_back = "everything",
    many_at_the_same_instant_get_one_daemon = "races",
    nothing_gets_away = "escapes",
    what_stood_still_goes_on = "stopped",
    a_clock_that_is_set_confuses_nobody = "clock",
    a_full_disk_refuses_and_goes_on = "full-disk",
    a_power_cut_loses_nothing_acknowledged = "power",
    without_descriptors_nothing_is_lost = "descriptors",
    without_processes_nothing_is_lost = "processes",
    liars_harm_nobody_else = "lies",
    flipped_bits_are_survived = "flips",
    a_newer_version_takes_the_place_of_an_older_one = "upgrades",
}
