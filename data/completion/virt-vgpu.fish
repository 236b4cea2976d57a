# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion of virt-vgpu(1). What there is to complete is asked of virt-vgpu itself, each time, as by the one for
# bash.

# What an argument, or the value of an option, that is called so may be; the rest is how to ask.
function __virt_vgpu_kind
    set -l kind (string replace '…' '' -- $argv[1])
    switch $kind
        case FILE PATH DIR OUTPUT
            __fish_complete_path (commandline -ct)
        case ADDR
            $argv[2..-1] GPU 2>/dev/null
        case P
            $argv[2..-1] PROFILE 2>/dev/null
        case BUS
            printf 'system\nsession\n'
        case VERB DOMAIN FLEET GPU HOST POOL PROFILE UUID
            $argv[2..-1] $kind 2>/dev/null | string match -v -- '-*'
    end
end

function __virt_vgpu_complete
    set -l words (commandline -opc)
    set -l ask $words[1] help --words
    set -l known ($ask 2>/dev/null)
    set -l option
    set -l verb
    set -l arguments
    set -l previous
    set -l n 1

    # walk over what is typed already: the verb, how many arguments, whether a value is due
    for word in $words[2..-1]
        if test -n "$option"
            # these two say whom to ask
            contains -- $previous --bus --connect -c; and set -a ask $previous $word
            set option
        else if test "$word" = -c
            set option -c URI ''
        else if test "$word" = -o
            set option (string split \t -- (string match -r '^--output\t.*' -- $known))
            test -n "$option"; or set option (string split \t -- (string match -r '^--columns\t.*' -- $known))
        else if string match -q -- '-*' $word
            set option (string split \t -- (string match -r "^$word\t.*" -- $known))
            test "$option[2]" = -; and set option
        else if test -z "$verb"; or test "$arguments" = FLEET
            set verb (string join ' ' -- $verb $word) # those of the fleet have two words
            set known ($ask $verb 2>/dev/null)
            set arguments (string match -v -- '-*' $known)
        else
            set n (math $n + 1)
        end
        set previous $word
    end

    if test -n "$option[3]"
        string split ' ' -- $option[3]
    else if test -n "$option"
        __virt_vgpu_kind $option[2] $ask
    else if string match -q -- '-*' (commandline -ct)
        string match -r '^--[^\t]*' -- $known
    else if test -z "$verb"
        __virt_vgpu_kind VERB $ask
    else
        # the last argument may be one of many
        if test $n -gt (count $arguments); and string match -q '*…' -- $arguments[-1]
            set n (count $arguments)
        end
        test $n -le (count $arguments); and __virt_vgpu_kind $arguments[$n] $ask
    end
end

complete -c virt-vgpu -f -a '(__virt_vgpu_complete)'
