# fish completion for fairwayctl(1): what bash's completion beside it offers, which reads the program's own --help. Needs bash.
function __fairwayctl
    bash -c '. @BASH_COMPLETION@
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _fairwayctl
        printf "%s\n" "${COMPREPLY[@]}"' bash (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token --cut-at-cursor) 2>/dev/null
end
complete --command fairwayctl --no-files --arguments '(__fairwayctl)'
