# bash completion for destrasim: commands, their options, files by their kind.
_destrasim() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} options='' kind='' file
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "run check verify diff trace schema explain bench list detect fuzz twins sweep rare tune compare select report" -- "$cur")
        return
    fi
    case $command in
    run) options="-o --seed --set --threads --until --quiet --json --junit" kind=yaml ;;
    check) options="--set --quiet" kind=yaml ;;
    schema) options="--study" ;;
    fuzz)
        options="--runs --jobs --time --seed --from --only --print --set --keep-going --resume -o
            --shrink-time --quiet --json"
        kind=yaml
        ;;
    sweep)
        options="-o --shard --resume --jobs --set --cpu --keep --quiet --json"
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
    rare) options="--roots --seed --jobs --set --quiet --json" kind=yaml ;;
    tune) options="-o --runs --resume --jobs --batch --set --cpu --quiet --json" kind=yaml ;;
    compare)
        options="--metric --gate --level --margin --replications --with --set --set-b --independent
            --jobs --limit --junit --quiet --json"
        kind=h5
        ;;
    report)
        options="-o --format --figure --list" kind=h5
        if [ "$prev" = --format ]; then
            mapfile -t COMPREPLY < <(compgen -W "html svg png pdf csv" -- "$cur")
            return
        fi
        ;;
    select)
        options="--delta --alpha --first --most --metric --maximise --set --jobs --quiet --json"
        kind=yaml
        ;;
    detect)
        options="--input --detector -o --label --ignore --series --table --seed --trees --sample
            --neighbours --scales --window --hold"
        if [ "$prev" = --detector ]; then
            mapfile -t COMPREPLY < <(compgen -W "ewma mad cusum iforest hst knn" -- "$cur")
            return
        fi
        ;;
    list)
        mapfile -t COMPREPLY < <(compgen -W "roles services detectors strategies faults applications
            topologies metrics costs" -- "$cur")
        return
        ;;
    bench)
        options="--lps --per-lp --end --lookahead --threads --validators --decisions --latency
            --nodes --blocks --degree --modelled --seconds --only"
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
        [ "$command" = report ] && kind=html
        [ "$command" = tune ] && kind=/ # folders
        [[ $command =~ ^(fuzz|sweep)$ ]] && kind=/ ;; # folders
    --junit) kind=xml ;;
    --list) ;;
    --input) kind=csv ;;
    --resume) [[ $command =~ ^(sweep|tune)$ ]] || return ;; # others take a file
    --*) [[ $prev =~ ^--(quiet|json|series|table|no-run|print|keep-going|keep|count|explain)$ ]] || return ;;
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
