//! One file of `xtask/kill`: what is planted where, and who must notice.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::rung::Rung;

/// Classes of bugs that happened to libraries like this one.
pub(super) const CLASSES: u32 = 25;

/// A file of `xtask/kill`: see the documentation of `kill` for the format.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plant {
    /// The file's name without its extension.
    #[serde(skip)]
    pub(super) name: String,
    pub(super) class: u32,
    pub(super) bug: String,
    pub(super) peer: String,
    pub(super) not_planted: Option<String>,
    pub(super) rung: Option<Rung>,
    #[serde(default)]
    pub(super) args: String,
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) expect: Vec<String>,
    #[serde(default)]
    pub(super) change: Vec<Change>,
}

/// One replacement in one file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// Path from the workspace root.
    pub(super) file: String,
    /// Must be there exactly once.
    find: String,
    replace: String,
}

/// Files by path from the workspace root.
type Texts = BTreeMap<String, String>;

/// Why a change cannot be made.
#[derive(Debug, PartialEq)]
pub(super) struct DoesNotApply(pub(super) String);

/// All files of a directory, by name.
pub(super) fn load(dir: &Path) -> Result<Vec<Plant>> {
    let mut plants = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        ensure!(
            path.extension()
                .is_some_and(|extension| extension == "toml"),
            "{} is no .toml file",
            path.display()
        );
        let text = fs::read_to_string(&path)?;
        let plant = parse(&name, &text).with_context(|| path.display().to_string())?;
        plants.push(plant);
    }
    plants.sort_by(|a, b| (a.class, &a.name).cmp(&(b.class, &b.name)));
    Ok(plants)
}

/// Reads one file and checks that it can show something.
pub(super) fn parse(name: &str, text: &str) -> Result<Plant> {
    let mut plant: Plant = toml::from_str(text)?;
    plant.name = name.to_owned();
    ensure!(
        (1..=CLASSES).contains(&plant.class),
        "class {} is none of 1 to {CLASSES}",
        plant.class
    );
    ensure!(
        name.starts_with(&format!("{:02}-", plant.class)),
        "the name must begin with the class: {:02}-...",
        plant.class
    );
    for (key, value) in [("bug", &plant.bug), ("peer", &plant.peer)] {
        ensure!(!value.trim().is_empty(), "`{key}` says nothing");
    }
    if let Some(why) = &plant.not_planted {
        ensure!(!why.trim().is_empty(), "`not_planted` says nothing");
        let nothing_else =
            plant.rung.is_none() && plant.change.is_empty() && plant.expect.is_empty();
        ensure!(nothing_else, "`not_planted` and a bug exclude each other");
        return Ok(plant);
    }
    ensure!(plant.rung.is_some(), "no `rung`");
    ensure!(!plant.change.is_empty(), "no `[[change]]`: nothing planted");
    ensure!(
        !plant.expect.is_empty() && plant.expect.iter().all(|text| !text.trim().is_empty()),
        "`expect` is missing or empty: any failure would count"
    );
    for change in &plant.change {
        ensure!(!change.find.trim().is_empty(), "`find` looks for nothing");
        ensure!(change.find != change.replace, "`replace` changes nothing");
    }
    Ok(plant)
}

impl Plant {
    /// Makes all changes below `root`, or none.
    pub(super) fn apply(&self, root: &Path) -> Result<Planted, DoesNotApply> {
        let (before, after) = self.rewrite(root)?;
        for (file, text) in &after {
            if let Err(error) = fs::write(root.join(file), text) {
                return Err(DoesNotApply(format!("{file}: {error}")));
            }
        }
        Ok(Planted(before))
    }

    /// The files below `root` that change: as they are, and as they will be.
    fn rewrite(&self, root: &Path) -> Result<(Texts, Texts), DoesNotApply> {
        // Two changes may be in one file: the second sees the first.
        let (mut before, mut after) = (Texts::new(), Texts::new());
        for change in &self.change {
            let text = match after.get(&change.file) {
                Some(text) => text.clone(),
                None => fs::read_to_string(root.join(&change.file))
                    .map_err(|error| DoesNotApply(format!("{}: {error}", change.file)))?,
            };
            let changed = change.apply(&text)?;
            before.entry(change.file.clone()).or_insert(text);
            after.insert(change.file.clone(), changed);
        }
        Ok((before, after))
    }
}

impl Change {
    fn apply(&self, text: &str) -> Result<String, DoesNotApply> {
        match text.matches(&self.find).count() {
            1 => Ok(text.replacen(&self.find, &self.replace, 1)),
            found => Err(DoesNotApply(format!(
                "{}: the text to replace is there {found} times, not once:\n{}",
                self.file, self.find
            ))),
        }
    }
}

/// What the changed files said before.
#[must_use = "the bug stays until it is removed"]
#[derive(Debug)]
pub(super) struct Planted(Texts);

impl Planted {
    pub(super) fn remove(self, root: &Path) -> Result<()> {
        for (file, text) in self.0 {
            fs::write(root.join(&file), text).with_context(|| file.clone())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
class = 7
bug = "a bug"
peer = "a peer"
rung = "test"
args = "-p one a_test"
expect = ["a_test ... FAILED"]
[[change]]
file = "one.rs"
find = "old"
replace = "new"
"#;

    #[track_caller]
    fn refused(text: &str, why: &str) {
        let error = format!("{:#}", parse("07-a-bug", text).unwrap_err());
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn a_complete_file_is_read() {
        let plant = parse("07-a-bug", GOOD).unwrap();
        assert_eq!(
            (plant.class, plant.name.as_str(), plant.args.as_str()),
            (7, "07-a-bug", "-p one a_test")
        );
        assert_eq!((plant.change.len(), plant.expect.len()), (1, 1));
    }

    #[test]
    fn a_class_without_a_bug_says_why() {
        let text = "class = 7\nbug = \"b\"\npeer = \"p\"\nnot_planted = \"no such code\"";
        assert!(parse("07-none", text).unwrap().not_planted.is_some());
        refused(&text.replace("no such code", " "), "`not_planted` says");
        refused(&format!("{text}\nexpect = [\"x\"]"), "exclude each other");
    }

    #[test]
    fn what_could_show_nothing_is_refused() {
        refused(&GOOD.replace("class = 7", "class = 26"), "none of 1 to 25");
        refused(&GOOD.replace("class = 7", "class = 8"), "begin with");
        refused(&GOOD.replace("[\"a_test ... FAILED\"]", "[]"), "`expect`");
        refused(&GOOD.replace("a_test ... FAILED", ""), "`expect`");
        refused(&GOOD.replace("\"old\"", "\"\""), "looks for nothing");
        refused(&GOOD.replace("\"new\"", "\"old\""), "changes nothing");
        refused(&GOOD.replace("a bug", ""), "`bug` says nothing");
        refused(&GOOD.replace("rung = \"test\"", ""), "no `rung`");
        refused(&GOOD.replace("\"test\"", "\"hope\""), "unknown variant");
        refused(&GOOD.replace("replace =", "replaces ="), "unknown field");
        let without = GOOD.split("[[change]]").next().unwrap();
        refused(without, "nothing planted");
    }

    struct Place(xshell::TempDir);

    impl Place {
        fn new(text: &str) -> Self {
            let place = Self(xshell::Shell::new().unwrap().create_temp_dir().unwrap());
            fs::write(place.0.path().join("one.rs"), text).unwrap();
            place
        }

        fn text(&self) -> String {
            fs::read_to_string(self.0.path().join("one.rs")).unwrap()
        }
    }

    #[test]
    fn a_bug_is_planted_and_removed() {
        let (place, plant) = (Place::new("an old line"), parse("07-a", GOOD).unwrap());
        let planted = plant.apply(place.0.path()).unwrap();
        assert_eq!(place.text(), "an new line");
        planted.remove(place.0.path()).unwrap();
        assert_eq!(place.text(), "an old line");
    }

    #[test]
    fn two_changes_of_one_file_are_one_step_back() {
        let second = "[[change]]\nfile = \"one.rs\"\nfind = \"line\"\nreplace = \"row\"\n";
        let (place, plant) = (Place::new("an old line"), format!("{GOOD}{second}"));
        let planted = parse("07-a", &plant).unwrap().apply(place.0.path());
        assert_eq!(place.text(), "an new row");
        planted.unwrap().remove(place.0.path()).unwrap();
        assert_eq!(place.text(), "an old line");
    }

    #[test]
    fn a_text_that_is_gone_or_there_twice_does_not_apply() {
        let plant = parse("07-a", GOOD).unwrap();
        for (text, times) in [("nothing", "0 times"), ("old old", "2 times")] {
            let place = Place::new(text);
            let DoesNotApply(why) = plant.apply(place.0.path()).unwrap_err();
            assert!(why.contains("one.rs") && why.contains(times), "{why}");
            assert_eq!(place.text(), text);
        }
        let nowhere = xshell::Shell::new().unwrap().create_temp_dir().unwrap();
        let DoesNotApply(why) = plant.apply(nowhere.path()).unwrap_err();
        assert!(why.contains("one.rs"), "{why}");
    }

    /// The planted bugs of this tree apply to this tree: who changes the code below
    /// one learns of it here, and not at the next release.
    #[test]
    fn every_bug_applies_and_every_class_has_one_or_a_reason() {
        let root = crate::workspace_root();
        let plants = load(&root.join("xtask/kill")).unwrap();
        for plant in &plants {
            if let Err(DoesNotApply(why)) = plant.rewrite(&root) {
                panic!("{}: {why}", plant.name);
            }
        }
        for class in 1..=CLASSES {
            let has_one = plants.iter().any(|plant| plant.class == class);
            assert!(has_one, "no file for class {class}");
        }
    }
}
