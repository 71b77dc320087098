//! The scripts of the documentation, which the window offers to open.

/// The name and the text of each, in order.
pub const EXAMPLES: &[(&str, &str)] = &[
    ("01_patent.ron", include_str!("../../docs/checks/01_patent.ron")),
    ("02_everybody.ron", include_str!("../../docs/checks/02_everybody.ron")),
    ("03_busy.ron", include_str!("../../docs/checks/03_busy.ron")),
    ("04_nobody_there.ron", include_str!("../../docs/checks/04_nobody_there.ron")),
    ("05_waits_for_ben.ron", include_str!("../../docs/checks/05_waits_for_ben.ron")),
    ("06_waits_in_vain.ron", include_str!("../../docs/checks/06_waits_in_vain.ron")),
    ("07_silent_with_expires.ron", include_str!("../../docs/checks/07_silent_with_expires.ron")),
    ("08_no_such_user.ron", include_str!("../../docs/checks/08_no_such_user.ron")),
    ("09_first_tries_lost.ron", include_str!("../../docs/checks/09_first_tries_lost.ron")),
    ("10_late_answer.ron", include_str!("../../docs/checks/10_late_answer.ron")),
    ("11_answer_after_the_report.ron", include_str!("../../docs/checks/11_answer_after_the_report.ron")),
    ("12_junk.ron", include_str!("../../docs/checks/12_junk.ron")),
    ("13_double_answers.ron", include_str!("../../docs/checks/13_double_answers.ron")),
    ("14_passed_on.ron", include_str!("../../docs/checks/14_passed_on.ron")),
    ("15_two_of_six.ron", include_str!("../../docs/checks/15_two_of_six.ron")),
    ("16_lost_submission.ron", include_str!("../../docs/checks/16_lost_submission.ron")),
    ("17_lost_202.ron", include_str!("../../docs/checks/17_lost_202.ron")),
    ("18_lost_reports.ron", include_str!("../../docs/checks/18_lost_reports.ron")),
    ("19_forged_report.ron", include_str!("../../docs/checks/19_forged_report.ron")),
    ("20_cut_report.ron", include_str!("../../docs/checks/20_cut_report.ron")),
    ("21_tunnel.ron", include_str!("../../docs/checks/21_tunnel.ron")),
    ("22_flapping_wifi.ron", include_str!("../../docs/checks/22_flapping_wifi.ron")),
    ("23_storm.ron", include_str!("../../docs/checks/23_storm.ron")),
    ("24_proxy_crash_after_202.ron", include_str!("../../docs/checks/24_proxy_crash_after_202.ron")),
    ("25_proxy_crash_between_tries.ron", include_str!("../../docs/checks/25_proxy_crash_between_tries.ron")),
    ("26_proxy_away.ron", include_str!("../../docs/checks/26_proxy_away.ron")),
    ("27_disk_full.ron", include_str!("../../docs/checks/27_disk_full.ron")),
    ("28_clock_ahead.ron", include_str!("../../docs/checks/28_clock_ahead.ron")),
    ("29_sender_crash.ron", include_str!("../../docs/checks/29_sender_crash.ron")),
    ("30_list.ron", include_str!("../../docs/checks/30_list.ron")),
    ("31_hidden.ron", include_str!("../../docs/checks/31_hidden.ron")),
    ("32_no_report.ron", include_str!("../../docs/checks/32_no_report.ron")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_scripts_of_the_documentation_are_offered() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/checks");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.filter_map(|name| name.into_string().ok()).collect();
        names.retain(|name| name.ends_with(".ron"));
        names.sort();
        assert_eq!(EXAMPLES.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names);
    }
}
