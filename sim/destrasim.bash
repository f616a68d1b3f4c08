# bash completion for destrasim: commands, their options, files by their kind.
_destrasim() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} options='' kind='' file
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "run check verify diff trace schema explain bench list detect fuzz twins" -- "$cur")
        return
    fi
    case $command in
    run) options="-o --seed --set --threads --until --quiet --json --junit" kind=yaml ;;
    check) options="--set --quiet" kind=yaml ;;
    fuzz)
        options="--runs --jobs --time --seed --from --only --print --set --keep-going --resume -o
            --shrink-time --quiet --json"
        kind=yaml
        ;;
    verify) options="--threads --quiet" kind=h5 ;;
    diff) options="--limit --no-run --threads --quiet --json" kind=h5 ;;
    trace)
        options="--node --from --to --kinds --limit -o --threads --quiet" kind=h5
        if [ "$prev" = --kinds ]; then
            mapfile -t COMPREPLY < <(compgen -W "proposal vote timeout sync tx challenge client
                gossip commit fault timer note" -- "$cur")
            return
        fi
        ;;
    twins)
        options="--validators --rounds --epoch-blocks --sample --seed --from --to --count --only
            --explain --jobs --resume --quiet --json --mutant"
        ;;
    detect)
        options="--input --detector -o --label --ignore --series --table --seed --trees --sample
            --neighbours --scales --window --hold"
        if [ "$prev" = --detector ]; then
            mapfile -t COMPREPLY < <(compgen -W "ewma mad cusum iforest hst knn" -- "$cur")
            return
        fi
        ;;
    bench)
        options="--lps --per-lp --end --lookahead --threads --validators --decisions --latency
            --nodes --blocks --degree --modelled"
        if [ "$COMP_CWORD" -eq 2 ]; then
            mapfile -t COMPREPLY < <(compgen -W "phold consensus gossip crypto" -- "$cur")
            return
        fi
        ;;
    esac
    case $prev in
    -o) [ "$command" = run ] && kind=h5
        [ "$command" = detect ] && kind=csv
        [ "$command" = trace ] && kind=svg
        [ "$command" = fuzz ] && kind=/ ;; # folders
    --junit) kind=xml ;;
    --input) kind=csv ;;
    --*) [[ $prev =~ ^--(quiet|json|series|table|no-run|print|keep-going|count|explain)$ ]] || return ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options -h" -- "$cur")
    elif [ -n "$kind" ]; then
        compopt -o filenames
        while IFS= read -r file; do
            if [ -d "$file" ] || [[ $file == *."$kind" ]] || [[ $kind$file == yaml*.yml ]]; then
                COMPREPLY+=("$file")
            fi
        done < <(compgen -f -- "$cur")
    fi
}
complete -F _destrasim destrasim
