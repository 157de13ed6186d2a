# SPDX-License-Identifier: Apache-2.0
# bash completion for scry. The words come from the program itself (scry --complete options|fields|events).

# What stands before the word that is being typed, and that word, as `head` and `word`: filters and formats are one
# argument with many words in it.
_scry_split() {
  local text=$1 separators=$2
  word=${text##*[$separators]}
  head=${text%"$word"}
}

# Candidates of a kind for `word`, each behind `head`.
_scry_offer() {
  local candidate
  while IFS= read -r candidate; do
    COMPREPLY+=("$head$candidate")
  done < <(compgen -W "$(scry --complete "$1" 2>/dev/null)" -- "$word")
}

_scry() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev= head= word= i
  ((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  cur=${cur#[\'\"]}  # an open quote isn't part of the text
  if ((COMP_CWORD == 1)) && [[ $cur != -* ]]; then
    COMPREPLY=($(compgen -W "info filter" -- "$cur"))
    return
  fi
  case $prev in
    -p | --print)
      _scry_split "$cur" '%('
      if [[ $head == *% ]]; then  # a width may stand before the name
        while [[ $word == [0-9]* ]]; do head+=${word:0:1} word=${word:1}; done
      fi
      [[ $head == *%* ]] && _scry_offer fields
      return ;;
    -t | --timetype)
      COMPREPLY=($(compgen -W "h a r d D" -- "$cur"))
      return ;;
    -r | --readfile | -n | --numevents | -M | -w | --writefile) return ;;  # the shell's own file names, or a number
  esac
  if [[ ${COMP_WORDS[1]} == info ]]; then
    [[ $cur == -* ]] && COMPREPLY=($(compgen -W "--json --help" -- "$cur"))
    return
  fi
  if [[ $cur == -* && ${COMP_WORDS[1]} == filter ]]; then
    COMPREPLY=($(compgen -W "--disassemble --explain --readfile --fold-enter --json --help" -- "$cur"))
    return
  fi
  if [[ $cur == -* ]]; then
    word=$cur
    _scry_offer options
    return
  fi
  # bash itself takes `=` for the end of a word, unless a quote is open.
  local before=$cur
  if [[ $cur == = ]]; then before=$prev= cur=
  elif [[ $prev == = ]]; then before=${COMP_WORDS[COMP_CWORD - 2]}=$cur
  fi
  if [[ $before =~ (^|[\ \(])(evt|syscall)\.type\ *(=|!=|in\ *\()\ *([a-z0-9_]*,\ *)*[a-z0-9_]*$ ]]; then
    _scry_split "$cur" ' (=,'
    _scry_offer events
  else
    _scry_split "$cur" ' ('
    _scry_offer fields
  fi
  [[ ${#COMPREPLY[@]} -gt 0 ]] && compopt -o nospace 2>/dev/null
  return 0
}

complete -o default -F _scry scry
