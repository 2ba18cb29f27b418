//! `tests/cases/README.md` keeps its word: what it names is there, and each slug of the documents is in a whole reply.

use std::path::{Path, PathBuf};

/// Every slug that "Core - Messages" names.
const SLUGS: [&str; 13] = [
    "err_InvalidElement",
    "err_DuplicateElement",
    "err_TestNoRecipient",
    "post_generic",
    "err_TestFormatNotTestable",
    "err_NoTemplateFound",
    "err_NoEmailTemplateFound",
    "err_NoSMSTemplateFound",
    "err_NoEmailSMSTemplateFound",
    "err_NoPushTemplateFound",
    "err_NoEmailPushTemplateFound",
    "err_NoSMSPushTemplateFound",
    "err_NoNotificationTemplateFound",
];

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The rows of the tables: a sentence and the files that fail when it is broken.
fn rows(readme: &str) -> Vec<(&str, Vec<&str>)> {
    readme
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| ")?
                .strip_suffix(" |")?
                .rsplit_once(" | ")
        })
        .filter(|(sentence, _)| *sentence != "sentence")
        .map(|(sentence, files)| (sentence, files.split('`').skip(1).step_by(2).collect()))
        .collect()
}

#[test]
fn every_file_of_the_table_exists() {
    let readme = std::fs::read_to_string(tests().join("cases/README.md")).unwrap();
    let rows = rows(&readme);
    assert!(rows.len() > 90, "{} rows were read", rows.len());
    for (sentence, files) in rows {
        assert!(!files.is_empty(), "no file: {sentence}");
        for file in files {
            let path = match file.strip_prefix("it/") {
                Some(_) => tests().join(file),
                None => tests().join("cases/api").join(file),
            };
            assert!(path.is_file(), "{file}, of {sentence}");
        }
    }
}

#[test]
fn every_slug_of_the_documents_is_in_a_whole_reply() {
    let replies: String = super::files(&tests().join("cases/api"))
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    for slug in SLUGS {
        let reply = format!(r#"<< {{"Result":"ERR","Message":"{slug}","Details":""#);
        assert!(replies.contains(&reply), "{slug}");
    }
}
