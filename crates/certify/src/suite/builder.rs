//! Collects cases, and orders them into files and groups.

use std::collections::BTreeMap;
use std::collections::hash_map::{Entry as Slot, HashMap};

use logflux_envelope::{Mode, Stage};
use sha2::{Digest as _, Sha256};

use super::draft::Draft;
use super::error::GenerateError;
use super::file::SuiteFile;
use super::notes;
use super::recipe::{self, Forge, Recipe};
use crate::encoding::{Base64, Hex};
use crate::model::{
    Expect, Group, Operation, Requirement, Run, SCHEMA, SUITE_VERSION, Test, VectorFile, Verdict,
};

/// The cases that exist so far.
pub(super) struct Suite<'f> {
    forge: &'f Forge,
    cases: Vec<Placed>,
}

/// A test, and where it belongs.
struct Placed {
    file: &'static str,
    group: GroupKey,
    test: Test,
}

/// The tests of one group share these.
#[derive(Clone, PartialEq, Eq, Hash)]
struct GroupKey {
    operation: Operation,
    secret: Option<Vec<u8>>,
    /// Empty where nothing is derived.
    derivation: (u64, Vec<u8>),
}

/// What a case is called and what it is about.
#[derive(Clone, Debug)]
pub(super) struct Case {
    id: String,
    level: Requirement,
    flags: Vec<&'static str>,
    comment: String,
    known_answer: bool,
}

impl Case {
    /// A case of what every implementation has.
    pub(super) fn must(
        id: impl Into<String>,
        flag: &'static str,
        comment: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            level: Requirement::Must,
            flags: vec![flag],
            comment: comment.into(),
            known_answer: false,
        }
    }

    /// A case of what an implementation may lack.
    pub(super) fn should(mut self) -> Self {
        self.level = Requirement::Should;
        self
    }

    /// A case that an implementation may lack unless `mode` is the standard.
    pub(super) fn of(self, mode: Mode) -> Self {
        if mode == Mode::Pbkdf2 { self } else { self.should() }
    }

    pub(super) fn flag(mut self, flag: &'static str) -> Self {
        self.flags.push(flag);
        self
    }

    /// A case for the file of known answers.
    pub(super) fn known_answer(mut self) -> Self {
        self.known_answer = true;
        self.flag("KnownAnswer")
    }

    fn test(self, expect: Expect) -> Test {
        Test {
            id: self.id,
            level: self.level,
            flags: self.flags.into_iter().map(str::to_owned).collect(),
            comment: self.comment,
            entry_b64: None,
            entry_runs: None,
            mode: None,
            salt_hex: None,
            iv_hex: None,
            node: None,
            loglevel: None,
            timestamp: None,
            message_hex: None,
            message_runs: None,
            expect,
        }
    }
}

/// It must be accepted.
pub(super) fn valid() -> Expect {
    Expect {
        result: Verdict::Valid,
        stage: None,
        message_hex: None,
        key_hex: None,
        entry_b64: None,
        entry_sha256_hex: None,
    }
}

/// It must be opened to this message.
pub(super) fn message(message: impl Into<Vec<u8>>) -> Expect {
    Expect { message_hex: Some(Hex(message.into())), ..valid() }
}

/// It must be refused at this stage.
pub(super) fn invalid(stage: Stage) -> Expect {
    Expect { result: Verdict::Invalid, stage: Some(stage), ..valid() }
}

/// It must be refused, at whatever stage.
pub(super) fn refused() -> Expect {
    Expect { result: Verdict::Invalid, ..valid() }
}

/// It may be accepted, then with this outcome, or be refused.
pub(super) fn acceptable(expect: Expect) -> Expect {
    Expect { result: Verdict::Acceptable, ..expect }
}

/// What a `seal` case gives that its recipe would not say.
#[derive(Default)]
pub(super) struct Instead {
    pub(super) timestamp: Option<&'static str>,
    pub(super) mode: Option<u64>,
    pub(super) salt: Option<Vec<u8>>,
    pub(super) iv: Option<Vec<u8>>,
    pub(super) message: Option<Vec<Run>>,
}

impl<'f> Suite<'f> {
    pub(super) fn new(forge: &'f Forge) -> Self {
        Self { forge, cases: Vec::new() }
    }

    /// Adds the cases of another topic.
    pub(super) fn append(&mut self, mut other: Self) {
        self.cases.append(&mut other.cases);
    }

    /// A valid entry of this recipe.
    pub(super) fn draft(&mut self, recipe: &Recipe) -> Result<Draft, GenerateError> {
        self.forge.seal(recipe)
    }

    /// A case that opens `draft` as it stands.
    pub(super) fn open(&mut self, case: Case, secret: &str, draft: &Draft, expect: Expect) {
        self.open_bytes(case, secret, draft, draft.json(), expect);
    }

    /// A case that opens `entry`, which was made from `draft`.
    pub(super) fn open_bytes(
        &mut self,
        case: Case,
        secret: &str,
        draft: &Draft,
        entry: Vec<u8>,
        expect: Expect,
    ) {
        let known_answer = case.known_answer;
        let test = Test { entry_b64: Some(Base64(entry)), ..case.test(expect) };
        let derivation = (draft.mode, draft.salt.clone());
        self.place(Operation::Open, known_answer, Some(secret), derivation, test);
    }

    /// A case that reads `entry`.
    pub(super) fn parse(&mut self, case: Case, entry: impl Into<Vec<u8>>, expect: Expect) {
        let test = Test { entry_b64: Some(Base64(entry.into())), ..case.test(expect) };
        self.place(Operation::Parse, false, None, <_>::default(), test);
    }

    /// A case that reads an entry that is too long for a file.
    pub(super) fn parse_runs(&mut self, case: Case, entry: Vec<Run>, expect: Expect) {
        let test = Test { entry_runs: Some(entry), ..case.test(expect) };
        self.place(Operation::Parse, false, None, <_>::default(), test);
    }

    /// A case that seals this recipe.
    pub(super) fn seal(&mut self, case: Case, recipe: &Recipe) -> Result<(), GenerateError> {
        self.seal_instead(case, recipe, Instead::default())
    }

    /// A case that seals this recipe from what says it in another way.
    pub(super) fn seal_instead(
        &mut self,
        case: Case,
        recipe: &Recipe,
        instead: Instead,
    ) -> Result<(), GenerateError> {
        let entry = self.forge.seal(recipe)?.json();
        let expect = match instead.message {
            Some(_) => {
                Expect { entry_sha256_hex: Some(Hex(Sha256::digest(&entry).to_vec())), ..valid() }
            }
            None => Expect { entry_b64: Some(Base64(entry)), ..valid() },
        };
        self.place_seal(case, recipe, instead, expect);
        Ok(())
    }

    /// A case in which sealing must be refused.
    pub(super) fn seal_refused(
        &mut self,
        case: Case,
        recipe: &Recipe,
        instead: Instead,
        expect: Expect,
    ) {
        self.place_seal(case, recipe, instead, expect);
    }

    fn place_seal(&mut self, case: Case, recipe: &Recipe, instead: Instead, expect: Expect) {
        let known_answer = case.known_answer;
        let mode = instead.mode.unwrap_or(recipe.mode.number().into());
        let salt = instead.salt.unwrap_or(recipe.salt.to_vec());
        let timestamp = instead.timestamp.map_or_else(|| recipe.timestamp.clone(), str::to_owned);
        let short = instead.message.is_none().then(|| Hex(recipe.message.clone()));
        let test = Test {
            mode: Some(mode),
            salt_hex: Some(Hex(salt.clone())),
            iv_hex: Some(Hex(instead.iv.unwrap_or(recipe.iv.to_vec()))),
            node: Some(recipe.node.clone()),
            loglevel: Some(recipe.loglevel),
            timestamp: Some(timestamp),
            message_hex: short,
            message_runs: instead.message,
            ..case.test(expect)
        };
        let derivation = (mode, salt);
        self.place(Operation::Seal, known_answer, Some(&recipe.secret), derivation, test);
    }

    /// A case that derives a key. An implementation need not lay keys bare.
    pub(super) fn derive(
        &mut self,
        case: Case,
        secret: &str,
        mode: Mode,
        salt: [u8; 32],
    ) -> Result<(), GenerateError> {
        let key = recipe::key(secret, mode, salt)?;
        self.place_derive(case, secret, mode, salt, Expect { key_hex: Some(Hex(key)), ..valid() });
        Ok(())
    }

    /// A case in which a key must not be derived.
    pub(super) fn derive_refused(&mut self, case: Case, secret: &str, mode: Mode, salt: [u8; 32]) {
        self.place_derive(case, secret, mode, salt, refused());
    }

    fn place_derive(
        &mut self,
        case: Case,
        secret: &str,
        mode: Mode,
        salt: [u8; 32],
        expect: Expect,
    ) {
        let known_answer = case.known_answer;
        let mode = u64::from(mode.number());
        let test = Test {
            mode: Some(mode),
            salt_hex: Some(Hex(salt.to_vec())),
            ..case.should().test(expect)
        };
        let derivation = (mode, salt.to_vec());
        self.place(Operation::Derive, known_answer, Some(secret), derivation, test);
    }

    fn place(
        &mut self,
        operation: Operation,
        known_answer: bool,
        secret: Option<&str>,
        derivation: (u64, Vec<u8>),
        test: Test,
    ) {
        let file = match operation {
            _ if known_answer => "known_answers.json",
            Operation::Open => "open.json",
            Operation::Seal => "seal.json",
            Operation::Derive => "derive.json",
            Operation::Parse => "parse.json",
        };
        let secret = secret.map(|secret| secret.as_bytes().to_vec());
        self.cases.push(Placed { file, group: GroupKey { operation, secret, derivation }, test });
    }

    /// The files, in the order of their names.
    pub(super) fn into_files(self) -> Result<Vec<SuiteFile>, GenerateError> {
        let mut files: BTreeMap<&'static str, VectorFile> = BTreeMap::new();
        let mut places: HashMap<(&'static str, GroupKey), usize> = HashMap::new();
        for Placed { file: name, group, test } in self.cases {
            let file = files.entry(name).or_insert_with(|| VectorFile {
                schema: SCHEMA.to_owned(),
                suite_version: SUITE_VERSION.to_owned(),
                notes: BTreeMap::new(),
                groups: Vec::new(),
            });
            for flag in &test.flags {
                file.notes.insert(flag.clone(), notes::note(flag)?);
            }
            let place = match places.entry((name, group)) {
                Slot::Occupied(place) => *place.get(),
                Slot::Vacant(vacant) => {
                    let GroupKey { operation, secret, .. } = &vacant.key().1;
                    file.groups.push(Group {
                        operation: *operation,
                        secret_hex: secret.clone().map(Hex),
                        tests: Vec::new(),
                    });
                    *vacant.insert(file.groups.len() - 1)
                }
            };
            if let Some(group) = file.groups.get_mut(place) {
                group.tests.push(test);
            }
        }
        files
            .into_iter()
            .map(|(name, file)| {
                let mut bytes = serde_json::to_vec_pretty(&file)?;
                bytes.push(b'\n');
                Ok(SuiteFile { name: name.to_owned(), bytes })
            })
            .collect()
    }
}
