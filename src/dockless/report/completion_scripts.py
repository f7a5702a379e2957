"""What teaches a shell to complete the command lines of dockless.

Each script asks dockless at every press of the key, in the protocol of click: a type (`plain`,
`file` or `dir`) and a value for each completion.
"""

from collections.abc import Mapping

VARIABLE = "_DOCKLESS_COMPLETE"
"""The environment variable by which dockless is asked."""

# bash cuts words at colons and equals signs, so that it is asked with the whole line
_BASH = f"""\
_dockless_completion() {{
    local type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            file) compopt -o default ;;
            dir) compopt -o dirnames ;;
            plain) COMPREPLY+=("$(printf '%q' "$value")") ;;
        esac
    done < <(
        COMP_LINE=${{COMP_LINE:0:COMP_POINT}} COMP_WORDBREAKS=$COMP_WORDBREAKS \\
            {VARIABLE}=bash_complete "$1" 2>/dev/null
    )
    if [[ ${{#COMPREPLY[@]}} -eq 1 && ${{COMPREPLY[0]}} == */ ]]; then
        compopt -o nospace
    fi
}}

complete -o nosort -F _dockless_completion dockless
"""

_ZSH = f"""\
#compdef dockless

_dockless_completion() {{
    local type value help asked="${{words[*]}}"
    local -a answer plain described open
    answer=("${{(@f)$(COMP_WORDS=$asked COMP_CWORD=$((CURRENT - 1)) \\
        {VARIABLE}=zsh_complete "${{words[1]}}" 2>/dev/null)}}")
    [[ $PREFIX == --*=* ]] && compset -P 1 '*='
    for type value help in "${{answer[@]}}"; do
        case $type in
            file) _path_files ;;
            dir) _path_files -/ ;;
            plain)
                if [[ $value == */ ]]; then
                    open+=("$value")
                elif [[ $help == _ ]]; then
                    plain+=("$value")
                else
                    described+=("$value:$help")
                fi
                ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described
    (( $#plain )) && compadd -V unsorted -a plain
    (( $#open )) && compadd -V unsorted -S '' -a open
}}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _dockless_completion "$@"
else
    (( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit }}
    compdef _dockless_completion dockless
fi
"""

_FISH = f"""\
function _dockless_completion
    set -l answer (COMP_WORDS=(commandline -cp) COMP_CWORD=(commandline -ct) \\
        {VARIABLE}=fish_complete dockless 2>/dev/null)
    for line in $answer
        set -l parts (string split -m 1 "," -- $line)
        switch $parts[1]
            case file
                __fish_complete_path (string replace -r -- '^--[^=]*=' '' $parts[2])
            case dir
                __fish_complete_directories $parts[2]
            case plain
                echo $parts[2]
        end
    end
end

complete --no-files --command dockless --arguments "(_dockless_completion)"
"""

SCRIPTS: Mapping[str, str] = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
"""The script of each shell."""

_FISH_QUESTION = frozenset({"COMP_WORDS", "COMP_CWORD"})
_QUESTIONS = {"bash": frozenset({"COMP_LINE"}), "zsh": _FISH_QUESTION, "fish": _FISH_QUESTION}


def is_question(environment: Mapping[str, str]) -> bool:
    """Whether a shell asks for completions, with all that its script sends.

    Otherwise somebody else has set the variable, and there is nothing to complete.
    """
    shell, _, action = environment.get(VARIABLE, "").partition("_")
    if action != "complete" or shell not in _QUESTIONS:
        return action == "source"
    missing = _QUESTIONS[shell] - environment.keys()
    return not missing and (shell != "zsh" or environment["COMP_CWORD"].strip().isdecimal())
