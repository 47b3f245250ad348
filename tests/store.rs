//! One suite for every storage engine, and what only files can suffer:
//! failing disks, `kill -9`, damage, a second process; and what only
//! databases can: broken connections, other nodes, wrong passwords.

#![allow(clippy::disallowed_methods)] // Children are told their folder by the environment.
#![allow(unreachable_pub)] // A test has no outside.
#![allow(clippy::unwrap_used)] // A failed expectation ends the test.

#[path = "store/beside.rs"]
mod beside;
#[path = "store/bytes.rs"]
mod bytes;
#[path = "store/child.rs"]
mod child;
#[path = "store/copies.rs"]
mod copies;
#[path = "store/failures.rs"]
mod failures;
#[path = "store/home.rs"]
mod home;
#[path = "store/hosts.rs"]
mod hosts;
#[path = "store/kill.rs"]
mod kill;
#[path = "store/lane.rs"]
mod lane;
#[path = "store/meddled.rs"]
mod meddled;
#[path = "store/messages.rs"]
mod messages;
#[path = "store/model.rs"]
mod model;
#[path = "store/outages.rs"]
mod outages;
#[path = "kit/postgres.rs"]
mod postgres_server;
#[path = "store/rows.rs"]
mod rows;
#[path = "store/several.rs"]
mod several;

use home::on_every_backend;

on_every_backend! {
    lane: [
        a_refused_closure_undoes_only_itself,
        a_panicking_closure_undoes_only_itself,
        a_panicking_reader_harms_nobody,
        a_snapshot_does_not_see_later_writes,
        write_skew_is_impossible,
        concurrent_adds_all_count,
        signals_come_after_the_commit_or_not_at_all,
        a_full_lane_is_busy_and_recovers,
        a_write_nobody_waits_for_is_still_done,
        closing_writes_what_is_queued_and_refuses_the_rest,
    ],
    beside: [
        what_goes_beside_counts_like_anything_else,
    ],
    rows: [
        rows_are_put_replaced_and_deleted,
        a_table_never_written_reads_as_empty,
        scans_keep_order_bounds_and_limits,
        a_prefix_of_ff_bytes_ends_where_it_should,
        contradicting_bounds_give_nothing,
        a_transaction_sees_its_own_changes_in_scans,
        counters_add_without_reading_and_can_be_forgotten,
        many_keys_are_answered_in_the_order_asked,
        one_batch_reads_several_tables_in_one_round_trip,
        raw_pages_copy_a_whole_table,
        a_row_of_a_newer_program_is_named,
    ],
    model: [
        any_transactions_leave_what_a_map_would,
    ],
    copies: [
        a_backup_moves_a_store_to_every_engine_and_back,
        a_backup_is_of_one_moment,
        a_store_with_rows_is_never_restored_into,
    ],
    failures: [
        any_one_failing_call_loses_nothing,
        any_one_panicking_call_loses_nothing,
    ],
}
