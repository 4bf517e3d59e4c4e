#include "dfs-client/cli/completion.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "dfs-client/cli/verbs.h"

namespace slipstream::dfs::cli {
namespace {

// Both shells call these three, so that they are written once. Directories come with a slash: the
// first column of a listing says what is one, and the path begins behind the seventh.
constexpr const char* kPathsFunction = R"SH(
_dfs_paths() {
  DFS_MASTER=${_dfs_master:-$DFS_MASTER} dfs --connect-timeout 2 ls -d -- "$1*" 2>/dev/null |
    awk '{ kind = substr($0, 1, 1)
           for (i = 0; i < 7; i++) sub(/^[^ ]+ +/, "")
           print $0 (kind == "d" ? "/" : "") }'
}
)SH";

constexpr const char* kBashFunction = R"SH(
_dfs() {
  local cur=${COMP_WORDS[COMP_CWORD]} verb= i=1 _dfs_master=
  while ((i < COMP_CWORD)); do
    case ${COMP_WORDS[i]} in
      --master) _dfs_master=${COMP_WORDS[i + 1]}; ((i += 2)) ;;
      --connect-timeout|--tls-dir) ((i += 2)) ;;
      --*) ((i += 1)) ;;
      *) verb=${COMP_WORDS[i]#-}; break ;;
    esac
  done
  local IFS=$'\n'
  if [[ -z $verb && $cur == --* ]]; then
    COMPREPLY=($(compgen -W $'--master\n--connect-timeout\n--tls-dir\n--help\n--version' -- "$cur"))
  elif [[ -z $verb && $cur == -* ]]; then
    COMPREPLY=($(compgen -P - -W "$(_dfs_verbs)" -- "${cur#-}"))
  elif [[ -z $verb || $verb == help || $verb == usage ]]; then
    COMPREPLY=($(compgen -W "$(_dfs_verbs)" -- "$cur"))
  elif [[ $verb == completion ]]; then
    COMPREPLY=($(compgen -W $'bash\nzsh' -- "$cur"))
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$(_dfs_flags "$verb")" -- "$cur"))
  else
    COMPREPLY=($(_dfs_paths "$cur"))
    case $verb in
      put|get|copyFromLocal|copyToLocal|moveFromLocal|appendToFile|getmerge)
        COMPREPLY+=($(compgen -f -- "$cur")) ;;
    esac
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace
  fi
}
complete -F _dfs dfs
)SH";

constexpr const char* kZshFunction = R"SH(
_dfs() {
  local verb= i=2 _dfs_master=
  while ((i < CURRENT)); do
    case ${words[i]} in
      --master) _dfs_master=${words[i + 1]}; ((i += 2)) ;;
      --connect-timeout|--tls-dir) ((i += 2)) ;;
      --*) ((i += 1)) ;;
      *) verb=${words[i]#-}; break ;;
    esac
  done
  local cur=${words[CURRENT]}
  if [[ -z $verb && $cur == --* ]]; then
    compadd -- --master --connect-timeout --tls-dir --help --version
  elif [[ -z $verb && $cur == -* ]]; then
    compadd -P - -- ${(f)"$(_dfs_verbs)"}
  elif [[ -z $verb || $verb == help || $verb == usage ]]; then
    compadd -- ${(f)"$(_dfs_verbs)"}
  elif [[ $verb == completion ]]; then
    compadd -- bash zsh
  elif [[ $cur == -* ]]; then
    compadd -- ${(f)"$(_dfs_flags "$verb")"}
  else
    local -a found=(${(f)"$(_dfs_paths "$cur")"})
    compadd -S '' -f -- ${(M)found:#*/}
    compadd -f -- ${found:#*/}
    case $verb in
      put|get|copyFromLocal|copyToLocal|moveFromLocal|appendToFile|getmerge) _files ;;
    esac
  fi
}
compdef _dfs dfs
)SH";

// "t?" is -t, "json" is --json: one letter or HDFS's own words with one dash, ours with two.
std::string FlagText(std::string_view flag) {
  const bool has_mark = flag.ends_with('=') || flag.ends_with('?') || flag.ends_with('*');
  if (has_mark) flag.remove_suffix(1);
  return flag == "json" || flag == "abort" ? fmt::format("--{}", flag) : fmt::format("-{}", flag);
}

std::string VerbsFunction() {
  std::string out = "_dfs_verbs() {\n  printf '%s\\n'";
  for (const Verb& verb : AllVerbs()) {
    if (!verb.replacement.empty()) continue;
    for (std::string_view name : verb.names)
      out += fmt::format(" {}", name);
  }
  return out + " help usage completion\n}\n";
}

std::string FlagsFunction() {
  std::string out = "_dfs_flags() {\n  case $1 in\n";
  for (const Verb& verb : AllVerbs()) {
    if (!verb.replacement.empty() || verb.flags.empty()) continue;
    out += fmt::format("    {}) printf '%s\\n'", fmt::join(verb.names, "|"));
    for (const std::string& flag : verb.flags)
      out += " " + FlagText(flag);
    out += " ;;\n";
  }
  return out + "  esac\n}\n";
}

}  // namespace

std::optional<std::string> CompletionScript(std::string_view shell) {
  if (shell != "bash" && shell != "zsh") return std::nullopt;
  return VerbsFunction() + FlagsFunction() + (kPathsFunction + 1) +
         (shell == "bash" ? kBashFunction : kZshFunction);
}

}  // namespace slipstream::dfs::cli
