source <(twofold completion bash)
complete -p twofold | grep -q twofold
twofold completion zsh | grep -q compdef
twofold completion fish | grep -q "complete"
