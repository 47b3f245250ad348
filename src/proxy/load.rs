//! What an upstream says of its own load, on every answer to a peer: the
//! header `endpoint-load-metrics` of ORCA (Open Request Cost Aggregation), as
//! Envoy and gRPC read it, in its TEXT and JSON forms.
//! The fields are those of `xds.data.orca.v3.OrcaLoadReport`.

use std::fmt;

use serde::Deserialize;

/// The header that carries a [`LoadReport`]. Stripped before clients.
pub const LOAD_HEADER: &str = "endpoint-load-metrics";
/// A request that carries this header wants the report in that form.
pub const LOAD_WANTED_HEADER: &str = "endpoint-load-metrics-format";
/// Marks a 503 as shed: the work was not begun, so any request may be sent
/// elsewhere. Its value is `1`.
pub const SHED_HEADER: &str = "waxwing-shed";

/// A longer header is not read.
const REPORT_MAX_BYTES: usize = 1024;
/// More metrics than this are not read.
const METRICS_MAX: usize = 32;
/// A higher utilisation is written and read as this.
const UTILISATION_MAX: f32 = 10.0;

/// What an upstream says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LoadReport {
    /// How full it is: 1 is full, more is overloaded (`application_utilization`).
    pub utilisation: f32,
    /// How busy its processors are, 0 to 1.
    pub cpu: f32,
    /// Requests under way there, from everybody (`named_metrics.rif`).
    pub rif: Option<u16>,
    /// How many it takes at a time (`named_metrics.limit`).
    pub limit: Option<u16>,
    /// Seconds since it started (`named_metrics.uptime`).
    pub uptime_s: Option<u32>,
    /// It wants no new requests (`named_metrics.drain`).
    pub is_draining: bool,
}

impl fmt::Display for LoadReport {
    /// The TEXT form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TEXT application_utilization={:.3}", bounded(self.utilisation))?;
        write!(f, ", cpu_utilization={:.3}", bounded(self.cpu))?;
        if let Some(rif) = self.rif {
            write!(f, ", named_metrics.rif={rif}")?;
        }
        if let Some(limit) = self.limit {
            write!(f, ", named_metrics.limit={limit}")?;
        }
        if let Some(uptime) = self.uptime_s {
            write!(f, ", named_metrics.uptime={uptime}")?;
        }
        write!(f, ", named_metrics.drain={}", u8::from(self.is_draining))
    }
}

impl LoadReport {
    /// The JSON form.
    pub fn to_json(&self) -> String {
        let mut named = format!("\"drain\":{}", u8::from(self.is_draining));
        for (name, value) in [
            ("rif", self.rif.map(u32::from)),
            ("limit", self.limit.map(u32::from)),
            ("uptime", self.uptime_s),
        ] {
            if let Some(value) = value {
                named.push_str(&format!(",\"{name}\":{value}"));
            }
        }
        format!(
            "JSON {{\"application_utilization\":{:.3},\"cpu_utilization\":{:.3},\"named_metrics\":{{{named}}}}}",
            bounded(self.utilisation),
            bounded(self.cpu),
        )
    }

    /// Reads a header's value in the TEXT or the JSON form. `None` if it is
    /// neither, too long, or has no metric that is known here. Values out of
    /// their range are brought into it; what is not a number is left out.
    pub fn parse(value: &str) -> Option<LoadReport> {
        if value.len() > REPORT_MAX_BYTES {
            return None;
        }
        let value = value.trim();
        let mut found = Found::default();
        if let Some(json) = value.strip_prefix("JSON ") {
            read_json(json, &mut found)?;
        } else if let Some(text) = value.strip_prefix("TEXT ") {
            read_text(text, &mut found);
        }
        found.report()
    }
}

fn bounded(utilisation: f32) -> f32 {
    if utilisation.is_finite() { utilisation.clamp(0.0, UTILISATION_MAX) } else { 0.0 }
}

/// The metrics as they are met.
#[derive(Default)]
struct Found {
    report: LoadReport,
    application: Option<f32>,
    any: bool,
}

impl Found {
    fn metric(&mut self, name: &str, value: f64) {
        if !value.is_finite() {
            return;
        }
        let value = value.max(0.0);
        match name {
            "application_utilization" => self.application = Some(bounded(value as f32)),
            "cpu_utilization" => self.report.cpu = bounded(value as f32),
            // `as` saturates: more than the type holds becomes its maximum.
            "named_metrics.rif" => self.report.rif = Some(value as u16),
            "named_metrics.limit" => self.report.limit = Some(value as u16),
            "named_metrics.uptime" => self.report.uptime_s = Some(value as u32),
            "named_metrics.drain" => self.report.is_draining = value >= 0.5,
            _ => return,
        }
        self.any = true;
    }

    /// Servers of others often say their processors' load only.
    fn report(mut self) -> Option<LoadReport> {
        self.report.utilisation = self.application.unwrap_or(self.report.cpu);
        self.any.then_some(self.report)
    }
}

fn read_text(text: &str, found: &mut Found) {
    for metric in text.split(',').take(METRICS_MAX) {
        if let Some((name, value)) = metric.split_once('=')
            && let Ok(value) = value.trim().parse()
        {
            found.metric(name.trim(), value);
        }
    }
}

/// The fields of the report that matter here; protobuf's JSON knows each
/// name in two spellings.
#[derive(Deserialize)]
struct Json {
    #[serde(alias = "applicationUtilization")]
    application_utilization: Option<f64>,
    #[serde(alias = "cpuUtilization")]
    cpu_utilization: Option<f64>,
    #[serde(default, alias = "namedMetrics")]
    named_metrics: Named,
}

#[derive(Default, Deserialize)]
struct Named {
    rif: Option<f64>,
    limit: Option<f64>,
    uptime: Option<f64>,
    drain: Option<f64>,
}

fn read_json(text: &str, found: &mut Found) -> Option<()> {
    let json: Json = serde_json::from_str(text).ok()?;
    let named = json.named_metrics;
    for (name, value) in [
        ("application_utilization", json.application_utilization),
        ("cpu_utilization", json.cpu_utilization),
        ("named_metrics.rif", named.rif),
        ("named_metrics.limit", named.limit),
        ("named_metrics.uptime", named.uptime),
        ("named_metrics.drain", named.drain),
    ] {
        if let Some(value) = value {
            found.metric(name, value);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> LoadReport {
        LoadReport {
            utilisation: 0.42,
            cpu: 0.31,
            rif: Some(7),
            limit: Some(64),
            uptime_s: Some(812),
            is_draining: false,
        }
    }

    #[test]
    fn text_form_is_what_envoy_reads() {
        let text = sample().to_string();
        assert_eq!(
            text,
            "TEXT application_utilization=0.420, cpu_utilization=0.310, named_metrics.rif=7, \
             named_metrics.limit=64, named_metrics.uptime=812, named_metrics.drain=0"
        );
        assert_eq!(LoadReport::parse(&text), Some(sample()));
    }

    #[test]
    fn json_form_survives_the_round_trip() {
        let drained = LoadReport { is_draining: true, rif: None, ..sample() };
        assert_eq!(LoadReport::parse(&drained.to_json()), Some(drained));
        let camel = r#"JSON {"cpuUtilization": 0.5, "rpsFractional": 3, "namedMetrics": {"x": 1}}"#;
        let read = LoadReport::parse(camel).unwrap();
        assert_eq!((read.utilisation, read.cpu), (0.5, 0.5), "processors stand in for the application");
    }

    #[test]
    fn hostile_reports_are_bounded() {
        for wrong in ["", "TEXT", "TEXT x=1", "BIN abc", "JSON {", "JSON []", "TEXT cpu_utilization=NaN"] {
            assert_eq!(LoadReport::parse(wrong), None, "{wrong}");
        }
        let long = format!("TEXT cpu_utilization=0.5{}", ", x=1".repeat(300));
        assert_eq!(LoadReport::parse(&long), None);
        let wild = "TEXT application_utilization=1e30,named_metrics.rif=-5,named_metrics.limit=1e9";
        let read = LoadReport::parse(wild).unwrap();
        assert_eq!((read.utilisation, read.rif, read.limit), (10.0, Some(0), Some(u16::MAX)));
        let many = format!("TEXT {}cpu_utilization=0.5", "a=1,".repeat(METRICS_MAX));
        assert_eq!(LoadReport::parse(&many), None);
    }
}
