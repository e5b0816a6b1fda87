# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion for meshgw(8); a test compares it with what the program knows.

_meshgw()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local commands='check plan apply confirm undo status diagnose doctor fix watch bundle down frr edge tunnel version help'
	local options='--json --timeout --help --version'
	local command='' word i

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word != -* && ${COMP_WORDS[i - 1]} != --@(timeout|confirm|from|from-bundle|limit) ]]; then
			command=$word
			break
		fi
	done

	COMPREPLY=()
	case $prev in
	--timeout | --confirm | --limit) return ;;
	--from-bundle)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--from)
		mapfile -t COMPREPLY < <(compgen -W 'workers devices gateway' -- "$cur")
		return
		;;
	esac
	case $command in
	check) options+=' --print' ;;
	plan) options+=' --down' ;;
	apply) options+=' --confirm' ;;
	status | watch) options+=' --verbose' ;;
	fix) options+=' --yes' ;;
	diagnose) options+=' --from --passive --limit --from-bundle' ;;
	esac

	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
	elif [[ -z $command || $command == help ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
	elif [[ $command == frr && $prev == frr ]]; then
		mapfile -t COMPREPLY < <(compgen -W render -f -- "$cur")
	elif [[ $command == edge && $prev == edge ]]; then
		mapfile -t COMPREPLY < <(compgen -W 'status promote' -- "$cur")
	elif [[ $command == tunnel && $prev == tunnel ]]; then
		mapfile -t COMPREPLY < <(compgen -W pin -f -- "$cur")
	elif [[ $command == fix && $prev == fix ]]; then
		mapfile -t COMPREPLY < <(compgen -W leftovers -- "$cur")
	elif [[ $command == @(check|plan|apply|bundle|frr|tunnel) ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}

complete -F _meshgw meshgw
