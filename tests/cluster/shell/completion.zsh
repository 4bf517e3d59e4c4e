# What the shell's completion makes of words that somebody types, in a zsh of its own behind a
# pseudo-terminal: zsh completion.zsh WORDS…  prints the line as it stands after a TAB.
zmodload zsh/zpty || exit 2
zpty shell zsh -f -i
# No prompt and no echo but the line editor's; the line, once accepted, is shown and not run.
zpty -w shell 'PS1= PS2= RPS1= TERM=dumb; unsetopt zle_bracketed_paste 2>/dev/null; unset zle_bracketed_paste'
zpty -w shell 'autoload -Uz compinit && compinit -D -u; eval "$(dfs completion zsh)"; setopt no_list_ambiguous no_auto_list no_auto_menu'
zpty -w shell 'show() { print -r -- "<""<$BUFFER>>"; BUFFER=; zle accept-line }; zle -N show; bindkey "^X" show'
zpty -w -n shell "$*"$'\t\x18'
typeset line
if zpty -r -m shell line $'*<<*>>*'; then
  print -r -- "[${${line##*<}%%>>*}]"
fi
zpty -d shell
