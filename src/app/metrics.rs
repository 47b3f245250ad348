//! The process's one metrics recorder.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of spans, from a signature to a retry of the next day.
const SECONDS: [f64; 18] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0, 3600.0,
    86_400.0,
];
/// Upper bounds of rows written together.
const ROWS: [f64; 6] = [1.0, 4.0, 16.0, 64.0, 128.0, 256.0];

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// The recorder, installed on first use; `None` if another one was installed
/// before, as an embedding program may.
pub(super) fn recorder() -> Option<PrometheusHandle> {
    RECORDER.get_or_init(|| builder().install_recorder().ok()).clone()
}

/// Histograms as buckets, which add up over nodes; summaries do not.
fn builder() -> PrometheusBuilder {
    let spans = Matcher::Suffix("_seconds".into());
    let rows = Matcher::Full("waxwing_delivery_batch_rows".into());
    PrometheusBuilder::new()
        .set_buckets_for_metric(spans, &SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(rows, &ROWS))
        .expect("the bounds are not empty")
}
