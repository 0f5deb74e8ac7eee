//! The completions of bash.

use crate::cli::args::table::commands::COMMANDS;
use crate::cli::args::table::flag::Completes;
use crate::cli::args::table::lookup::{flags, flags_of};
use crate::cli::help::completions::words::{completed_by, names, with_value};
use std::fmt::Write;

/// What does not depend on the table. `typed`, `folder` and `operands` are variables of `_fuelbox`.
const FUNCTIONS: &str = r#"# bash completion for fuelbox

# Offers "$1" if it begins with what is typed. It is quoted, so that it is one word, whatever its characters are.
_fuelbox_offer() {
    local quoted
    [[ -n $1 && $1 == "$typed"* ]] || return 0
    if [[ $typed == '~/'* ]]; then
        printf -v quoted '%q' "${1:2}"
        quoted='~/'$quoted
    else
        printf -v quoted '%q' "$1"
    fi
    COMPREPLY+=("$quoted")
}

# Offers the names that fuelbox prints.
_fuelbox_names() {
    local name
    while IFS= read -r name; do
        _fuelbox_offer "$name"
    done < <("${COMP_WORDS[0]}" "$@" ${folder:+--plugins "$folder"} 2>/dev/null </dev/null)
}

# Offers directories, and the files whose names match one of "$@".
_fuelbox_files() {
    local file path pattern
    while IFS= read -r file; do
        path=${file/#'~/'/$HOME/}
        if [[ $file == -* ]]; then
            continue
        elif [[ -d $path ]]; then
            _fuelbox_offer "$file/"
        else
            for pattern in "$@"; do
                [[ $file == $pattern ]] && _fuelbox_offer "$file"
            done
        fi
    done < <(compgen -f -- "$typed")
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]]; then
        compopt -o nospace 2>/dev/null
    fi
}

# Prints a word of the command line without its quotes; nothing in it is expanded but `~/`.
_fuelbox_unquoted() {
    local word=$1
    case $word in
        \'*\' | \"*\") word=${word:1:${#word}-2} ;;
        *) word=${word//\\/} ;;
    esac
    printf '%s' "${word/#'~/'/$HOME/}"
}

_fuelbox_targets() {
    [[ $typed == */* ]] || _fuelbox_names list --names
    _fuelbox_files '*.wasm' '*.wat'
}

_fuelbox_functions() {
    _fuelbox_names inspect --names "$(_fuelbox_unquoted "${operands[0]}")"
}

_fuelbox_words() {
    local word
    for word in $1; do
        _fuelbox_offer "$word"
    done
}
"#;

/// The words of the command line, one after the other. bash makes words of their own of `=` and `:`.
const LOOP: &str = r#"    for ((i = 2; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == -- ]]; then
            _fuelbox_files '*'
            return
        elif [[ $with_value == *" $word "* ]]; then
            [[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
            ((++i < COMP_CWORD)) || flag=$word
            [[ $word == --plugins && -z $flag ]] && folder=$(_fuelbox_unquoted "${COMP_WORDS[i]}")
        elif [[ $word == [=:]* && -z ${word//[=:]/} ]]; then
            ((i++))
        elif [[ $word != -?* ]]; then
            operands+=("$word")
        fi
    done
"#;

/// The script.
pub fn script() -> String {
    let commands: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    let commands = commands.join(" ");
    let mut out = String::from(FUNCTIONS);
    out += "\n_fuelbox() {\n";
    out += "    local typed=${COMP_WORDS[COMP_CWORD]} flags= flag= folder= word i operands=()\n";
    // Writing to a String does not fail, so what it gives is not looked at.
    let _ = writeln!(out, "    local with_value=' {} '", with_value().join(" "));
    out += "    COMPREPLY=()\n    # Within quotes, bash would quote once more.\n";
    out += "    [[ $typed == *[\\'\\\"]* ]] && return\n    typed=${typed//\\\\/}\n    [[ $typed == = ]] && typed=\n";
    let _ = writeln!(
        out,
        "    if ((COMP_CWORD == 1)); then\n        _fuelbox_words '{commands} --help --version'\n        return\n    fi"
    );
    out += LOOP;
    out += "    case $flag in\n        '') ;;\n";
    for choice in flags().filter(|flag| flag.completes == Completes::Choice) {
        let choices = choice.choices().join(" ");
        let _ = writeln!(out, "        {}) _fuelbox_words '{choices}'; return ;;", choice.name);
    }
    let _ =
        writeln!(out, "        {}) _fuelbox_files '*'; return ;;", completed_by(Completes::File).join(" | "));
    let _ = writeln!(
        out,
        "        {}) _fuelbox_files; return ;;",
        completed_by(Completes::Directory).join(" | ")
    );
    out += "        *) return ;;\n    esac\n    case ${COMP_WORDS[1]} in\n";
    for command in COMMANDS {
        let flags: Vec<&str> = flags_of(command.topic).flat_map(names).collect();
        let _ = writeln!(out, "        {}) flags='{}' ;;", command.name, flags.join(" "));
    }
    out += "    esac\n    if [[ $typed == -* ]]; then\n        _fuelbox_words \"$flags\"\n        return\n    fi\n";
    out += "    case \"${COMP_WORDS[1]} ${#operands[@]}\" in\n";
    for command in COMMANDS {
        for (at, operand) in command.operands.iter().enumerate() {
            let action = match operand.completes {
                Completes::Target => "_fuelbox_targets".into(),
                Completes::Function => "_fuelbox_functions".into(),
                Completes::Directory => "_fuelbox_files".into(),
                Completes::File => "_fuelbox_files '*'".into(),
                Completes::Command => format!("_fuelbox_words '{commands}'"),
                Completes::Choice | Completes::Nothing => continue,
            };
            let _ = writeln!(out, "        '{} {at}') {action} ;;", command.name);
        }
    }
    out + "    esac\n}\ncomplete -F _fuelbox fuelbox\n"
}
