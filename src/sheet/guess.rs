//! Second thoughts on the encoding that a detector names, from the letters of the text: signs without
//! letters, letters that no language of the table has, and words that only a table of DOS makes.

use encoding_rs::{
    Encoding, ISO_8859_2, ISO_8859_4, MACINTOSH, WINDOWS_1250, WINDOWS_1252, WINDOWS_1254,
    WINDOWS_1257,
};

use super::charset::{CP850, CP852, Charset};

/// Bytes of words that are kept to try other tables on.
const WORDS_BYTES: usize = 16 << 10;

/// Letters of a word, after which it is none.
const WORD_BYTES_MAX: usize = 64;

/// Impossible places in words, from which on a table is given up for one that makes none.
const FAULTS: usize = 3;

/// `é` and `É`, in the tables of Western Europe and of the Baltic alike.
const E_ACUTE: [u8; 2] = [0xE9, 0xC9];

/// `ð`, `þ` and their capitals in Western Europe, which only Iceland has; `š` and `ž` in the Baltic.
const ICELANDIC: [u8; 4] = [0xD0, 0xDE, 0xF0, 0xFE];

/// `õ` and `Õ` in both tables: Estonian and Portuguese have it, Icelandic has not.
const O_TILDE: [u8; 2] = [0xF5, 0xD5];

/// `á`, `í`, `ó`, `ú`, `ý` and `æ` in Western Europe, of which any Icelandic text is full.
const OF_ICELAND: [u8; 6] = [0xE1, 0xED, 0xF3, 0xFA, 0xFD, 0xE6];

/// What the bytes of a file show.
pub(super) struct Evidence {
    signs: Signs,
    /// How often each byte stands in the file.
    counts: [u64; 256],
    /// Words with a letter beyond ASCII, each with a space behind it.
    words: Vec<u8>,
}

impl Default for Evidence {
    fn default() -> Evidence {
        Evidence {
            signs: Signs::default(),
            counts: [0; 256],
            words: Vec::new(),
        }
    }
}

impl Evidence {
    /// The next bytes of the file.
    pub(super) fn look(&mut self, bytes: &[u8]) {
        self.signs.look(bytes);
        for byte in bytes {
            self.counts[usize::from(*byte)] += 1;
        }
        let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80;
        let words = bytes.split(|byte| !is_letter(byte));
        for word in words.filter(|word| !word.is_ascii() && word.len() <= WORD_BYTES_MAX) {
            if self.words.len() >= WORDS_BYTES {
                return;
            }
            self.words.extend_from_slice(word);
            self.words.push(b' ');
        }
    }

    /// The encoding to take where a detector says `guess`, and another that may be meant.
    pub(super) fn judge(&self, guess: &'static Encoding) -> (Charset, &'static str) {
        let western = if guess.is_single_byte() {
            self.signs.are_all() || self.is_western(guess)
        } else {
            self.signs.are_measures()
        };
        let guess = if western {
            WINDOWS_1252
        } else if guess == WINDOWS_1252 && self.is_estonian() {
            WINDOWS_1257
        } else {
            guess
        };
        let rather = if guess == WINDOWS_1252 {
            "windows-1250"
        } else {
            "windows-1252"
        };
        let is_latin = [WINDOWS_1250, WINDOWS_1252, WINDOWS_1254, WINDOWS_1257]
            .into_iter()
            .chain([ISO_8859_2, ISO_8859_4])
            .any(|latin| latin == guess);
        let guess = Charset::Web(guess);
        if !is_latin {
            return (guess, rather);
        }
        let text = guess.decode(&self.words);
        let controls = text.chars().any(char::is_control);
        let faults = faults(&text, is_typographic);
        let others = [
            Charset::Table(&CP850),
            Charset::Table(&CP852),
            Charset::Web(MACINTOSH),
        ];
        // Where two of them make words of it, and not the same ones, either may be meant.
        let mut fitting = others.into_iter().filter_map(|other| {
            let text = other.decode(&self.words);
            are_words(&text).then_some((other, text))
        });
        let first = fitting.next();
        let other = first.filter(|first| fitting.all(|next| next.1 == first.1));
        match other.map(|(other, _)| other) {
            Some(other) if controls || faults >= FAULTS => (other, guess.name()),
            Some(other) if self::faults(&text, |_| false) > 0 => (guess, other.name()),
            Some(_) | None => (guess, rather),
        }
    }

    /// Whether a text that was taken for a Baltic one is of Western Europe: no Baltic language has an
    /// `é`, while of the accents of French it is more than half.
    fn is_western(&self, guess: &'static Encoding) -> bool {
        if guess != WINDOWS_1257 && guess != ISO_8859_4 {
            return false;
        }
        let acute = self.count(&E_ACUTE);
        let only_baltic: Vec<u8> = (0x80..=0xFF)
            .filter(|byte| decoded(guess, *byte) != decoded(WINDOWS_1252, *byte))
            .collect();
        acute > 0 && acute >= self.count(&only_baltic) && self.count(&ICELANDIC) == 0
    }

    /// Whether the `þ` and `ð` of a Western text are `ž` and `š`: it has `õ`, and nothing else of Iceland.
    fn is_estonian(&self) -> bool {
        self.count(&ICELANDIC) > 0 && self.count(&O_TILDE) > 0 && self.count(&OF_ICELAND) == 0
    }

    /// How often these bytes stand in the file.
    fn count(&self, bytes: &[u8]) -> u64 {
        bytes
            .iter()
            .map(|byte| self.counts[usize::from(*byte)])
            .sum()
    }
}

fn decoded(encoding: &'static Encoding, byte: u8) -> String {
    Charset::Web(encoding).decode(&[byte])
}

/// Letters beyond ASCII of the languages that tables of DOS and the Macintosh were used for.
const ALPHABETS: [&str; 16] = [
    "äöüß",
    "éèêëàâçîïôûùüœæÿ",
    "áéíóúüñ",
    "áâãàçéêíóôõúü",
    "àèéìòùî",
    "àèéíïòóúüç",
    "åäöé",
    "åäöæøéôóüò",
    "áðéíóúýþæö",
    "äõöüšž",
    "éèëïöüçáóúêî",
    "ąćęłńóśźż",
    "áčďéěíňóřšťúůýž",
    "áäčďéíĺľňóôŕšťúýž",
    "áéíóöőúüű",
    "čćđšž",
];

/// Signs that stand beside words.
const SIGNS: &str = "€£§°±²³µ½¼¾©®™–—…•";

/// Whether these are words of one language, without a place that none has.
fn are_words(words: &str) -> bool {
    let mut letters: Vec<char> = Vec::new();
    for word in words.split(' ') {
        if word.chars().count() == 1 && word.chars().all(|sign| SIGNS.contains(sign)) {
            continue;
        }
        for letter in word.chars().filter(|letter| !letter.is_ascii()) {
            letters.extend(letter.to_lowercase());
        }
    }
    letters.sort_unstable();
    letters.dedup();
    let is_spelt = |alphabet: &str| letters.iter().all(|letter| alphabet.contains(*letter));
    !letters.is_empty()
        && ALPHABETS.iter().any(|alphabet| is_spelt(alphabet))
        && faults(words, |_| false) == 0
        && !has_lone_tilde(words)
}

/// Whether an `ã` or `ñ` stands where no word has it: they are followed by vowels, `ã` by nothing as well.
fn has_lone_tilde(words: &str) -> bool {
    words.to_lowercase().split(' ').any(|word| {
        let next = word.chars().skip(1).chain([' ']);
        word.chars().zip(next).any(|(letter, next)| match letter {
            'ã' => !"oeisa ".contains(next),
            'ñ' => !"aeiouáéíóúü".contains(next),
            _ => false,
        })
    })
}

/// How many places of these words no language has: a capital behind a small letter or, beyond ASCII, in
/// front of one (`MŸller`), a sign between two letters, a control character, an `ï` behind a consonant; where all is ASCII, it is a program's name and counts as none.
fn faults(words: &str, is_fine: fn(char) -> bool) -> usize {
    let mut faults = 0;
    let (mut before, mut last) = (' ', ' ');
    for char in words.chars() {
        let sign = !last.is_ascii() && !last.is_alphabetic() && !is_fine(last);
        let capital = last.is_lowercase() && char.is_uppercase();
        // In every language that has it, `ï` stands behind a vowel: `ő` of cp852 does not.
        let dotted = char == 'ï' && last.is_alphabetic() && !"aeiouyAEIOUYéèôëÉ".contains(last);
        let inner =
            before.is_uppercase() && !last.is_ascii() && last.is_uppercase() && char.is_lowercase();
        if last.is_control()
            || dotted
            || inner
            || sign && before.is_alphabetic() && char.is_alphabetic()
            || capital && !(last.is_ascii() && char.is_ascii())
        {
            faults += 1;
        }
        (before, last) = (last, char);
    }
    faults
}

/// Signs that people and programs put between letters: dashes, apostrophes, dots, a space that does not
/// break. Other quotes stand at the ends of words.
fn is_typographic(sign: char) -> bool {
    "–—…‘’•·™®©«»\u{a0}\u{ad}".contains(sign)
}

/// Looks for bytes above ASCII that are signs in windows-1252 (`£`, `€`, `°`, quotes, dashes). Where
/// there are no others and none stands in a word, the text has no letter by which its language
/// could be told, and the letters that other tables have there would stand alone.
#[derive(Default)]
struct Signs {
    before: u8,
    last: u8,
    found: bool,
    in_words: bool,
    /// Whether there are others than those of amounts and measures.
    others: bool,
}

impl Signs {
    fn look(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.judge_last(byte);
            (self.before, self.last) = (self.last, byte);
        }
    }

    /// The last byte, in front of `next`.
    fn judge_last(&mut self, next: u8) {
        let byte = self.last;
        if byte < 0x80 {
            return;
        }
        self.found = true;
        if is_measure(self.before, byte, next) {
            return;
        }
        self.others = true;
        let letter = matches!(byte, 0x81 | 0x83 | 0x8A | 0x8C..=0x90 | 0x9A | 0x9C..=0x9F)
            || matches!(byte, 0xAA | 0xB5 | 0xBA | 0xC0..);
        // Dots that lead from a label to its number: `Revenue………… 12`.
        let leads = byte == 0x85 && (self.before == 0x85 || next == 0x85);
        // A space and a degree are the same in every table of Windows.
        let is_sign = |byte: u8| byte >= 0x80 && !matches!(byte, 0xA0 | 0xB0);
        let is_other = |byte: u8| is_sign(byte) || byte.is_ascii_alphabetic();
        let in_word = letter || is_sign(byte) && (is_other(self.before) || is_other(next));
        self.in_words |= in_word && !leads;
    }

    /// Whether there is one, all are signs, and none stands in a word.
    fn are_all(&self) -> bool {
        let all = self.to_end();
        all.found && !all.in_words
    }

    /// Whether there is one, and all are signs of amounts and measures.
    fn are_measures(&self) -> bool {
        let all = self.to_end();
        all.found && !all.others
    }

    fn to_end(&self) -> Signs {
        let mut all = Signs { ..*self };
        all.judge_last(b'\n');
        all
    }
}

/// Whether a byte is a sign of an amount or a measure in windows-1252 that stands where such a sign does:
/// `5 µm`, `20 °C`, `Ø 5`. Neither side can be the other half of a letter of two bytes, but for the
/// unit behind `µ` and `°`.
fn is_measure(before: u8, byte: u8, next: u8) -> bool {
    let apart = |byte: u8| byte <= b'?' || matches!(byte, b'|' | b'[' | b']');
    let follows = match byte {
        0xB5 => b"mFsglLAVWHSTPMJNCk".contains(&next),
        0xB0 => b"CFK".contains(&next),
        _ => false,
    };
    match byte {
        // `m²` and `m³`.
        0xB2 | 0xB3 => (apart(before) || before == b'm') && apart(next),
        // `€`, `£`, `§`, `°`, `±`, `µ`, `½` and `Ø`.
        0x80 | 0xA3 | 0xA7 | 0xB0 | 0xB1 | 0xB5 | 0xBC..=0xBE | 0xD8 => {
            apart(before) && (apart(next) || follows)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(bytes: &[u8], guess: &'static Encoding) -> (&'static str, &'static str) {
        let mut evidence = Evidence::default();
        evidence.look(bytes);
        let (encoding, rather) = evidence.judge(guess);
        (encoding.name(), rather)
    }

    fn western(text: &str) -> Vec<u8> {
        WINDOWS_1252.encode(text).0.into_owned()
    }

    #[test]
    fn a_baltic_text_has_fewer_acutes_than_letters_of_its_own() {
        let baltic = |text: &str| WINDOWS_1257.encode(text).0.into_owned();
        for text in ["Béjaïa", "Hélène,Noël,Été", "René,Loïc", "Zoé,Anaïs,José"] {
            assert_eq!(
                judged(&western(text), WINDOWS_1257).0,
                "windows-1252",
                "{text}"
            );
        }
        for text in [
            "Rīga",
            "Jānis Bērziņš,Café Rīga",
            "Café Šiauliai",
            "Panevėžys,Klaipėda,Café",
            "Tõnis,Jõgeva,Žanna,Café",
        ] {
            assert_eq!(
                judged(&baltic(text), WINDOWS_1257).0,
                "windows-1257",
                "{text}"
            );
        }
        assert_eq!(judged(&western("Béla"), WINDOWS_1250).0, "windows-1250");
        // Estonian has two letters that the West has not, and those are letters of Iceland there.
        let estonian = baltic("Tõnis,Žanna,Põltsamaa,Café");
        assert_eq!(judged(&estonian, WINDOWS_1252).0, "windows-1257");
        for text in ["Þór,Guðrún,Jónas", "João,Conceições", "Sigurður"] {
            assert_eq!(
                judged(&western(text), WINDOWS_1252).0,
                "windows-1252",
                "{text}"
            );
        }
    }

    #[test]
    fn words_that_no_table_of_windows_makes_are_of_dos_or_the_macintosh() {
        for (bytes, guess, wanted) in [
            (&b"M\x81ller,Stra\xe1e,K\x94ln"[..], WINDOWS_1252, "cp850"),
            (b"V\x84xj\x94,J\x94nk\x94ping", WINDOWS_1252, "cp850"),
            (
                b"Lo\x8bc,Ana\x8bs,No\x89l,Fran\x87ois,For\x88t",
                WINDOWS_1252,
                "cp850",
            ),
            (
                b"Gerg\x8b,Mez\x8bm\x82ll\x82k,Sz\x8bke,Kov\xa0cs",
                WINDOWS_1252,
                "cp852",
            ),
            (b"H\x82l\x8ane,\x90t\x82", WINDOWS_1252, "cp850"),
            (
                b"Sk\x86ne,V\x84ster\x86s,H\x86kan,G\x94teborg",
                WINDOWS_1250,
                "cp850",
            ),
            (b"\x9d\xa2d\xab,Krak\xa2w", WINDOWS_1252, "cp852"),
            (b"H\x8el\x8fne,Fran\x8dais", WINDOWS_1252, "macintosh"),
            (
                b"Espa\x96a,N\x9c\x96ez,Ja\x8en,M\x87laga,C\x87diz",
                WINDOWS_1252,
                "macintosh",
            ),
        ] {
            assert_eq!(judged(bytes, guess), (wanted, guess.name()), "{wanted}");
        }
        // German of a Macintosh makes words in cp850 as well, but none of German.
        for text in [
            &b"M\x9fller,K\x9anigsallee,\x86bergasse,Stra\xa7e,Sch\x8afer"[..],
            b"M\x9fller,J\x8ager,D\x9fren,N\x9frnberg,K\x8ase,M\x9fnster,1,50 \xdb",
        ] {
            assert_eq!(judged(text, WINDOWS_1252), ("macintosh", "windows-1252"));
        }
        // Where each table makes words of a language, none is taken.
        assert_eq!(
            judged(b"Fran\x8dois,no\x8dl,gar\x8don", WINDOWS_1252).0,
            "windows-1252"
        );
        // One word proves nothing, but says what to try.
        assert_eq!(
            judged(b"Espa\xa4a", WINDOWS_1252),
            ("windows-1252", "cp850")
        );
    }

    #[test]
    fn dots_that_lead_to_a_number_are_no_letters_of_dos() {
        use encoding_rs::IBM866;
        let text = western("Claims  …………,7\nCosts……,8");
        assert_eq!(judged(&text, IBM866).0, "windows-1252");
        let russian = IBM866.encode("Европа,Россия").0.into_owned();
        assert_eq!(judged(&russian, IBM866).0, "IBM866");
    }

    #[test]
    fn signs_of_measures_are_of_western_europe_whatever_a_detector_sees_in_them() {
        use encoding_rs::{BIG5, SHIFT_JIS};
        for text in [
            "A;5 µm\nB;7 µm",
            "5 µF,5 °C",
            "Ø 5 mm\nØ 7 mm",
            "°C;µm;½",
            "10 m²,±5,§ 3,£5,7 €",
        ] {
            for guess in [BIG5, SHIFT_JIS, WINDOWS_1257, ISO_8859_2] {
                let judged = judged(&western(text), guess).0;
                assert_eq!(judged, "windows-1252", "{text} in {}", guess.name());
            }
        }
        let chinese = BIG5.encode("5 痠,7 湩").0.into_owned();
        let longer = BIG5.encode("痠痛,5 痠").0.into_owned();
        assert_eq!(judged(&longer, BIG5).0, "Big5");
        // Of these alone nobody could tell.
        assert_eq!(judged(&chinese, BIG5).0, "windows-1252");
        for text in ["Rīga,5 µm", "Ųsas,Šarūnas"] {
            let text = WINDOWS_1257.encode(text).0.into_owned();
            assert_eq!(judged(&text, WINDOWS_1257).0, "windows-1257");
        }
    }

    #[test]
    fn what_programs_put_between_letters_is_none_of_dos() {
        for text in [
            "O’Neil,d’Or,l’été",
            "yes—no,so—so,now—then,up—down",
            "and…so,or…not,if…then",
            "Müller–Lüdenscheidt,Größe",
            "McÉwan,iPhône,eÉ",
        ] {
            assert_eq!(
                judged(&western(text), WINDOWS_1252).0,
                "windows-1252",
                "{text}"
            );
        }
    }
}
