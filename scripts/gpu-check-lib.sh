# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
# Part of gpu-check beside it (sourced, bash). Owns: the log, the outcome of every step, commands
# under a time limit, what nvidia-smi knows, and the reading of compute-sanitizer's reports.
# Of other programs only those of coreutils are used.

# ---- the log: every line goes there, then to standard output, at once
log=
out() {
  [[ -z $log ]] || printf '%s\n' "$1" >>"$log"
  printf '%s\n' "$1"
} 2>/dev/null  # the reader may have gone, the disk may be full: the steps go on
say() { out ""; out "== $1"; }

# ---- outcomes
# An outcome that starts with ok, advisory or "left out" leaves the exit status 0; all others, the
# first one included, make it 1.
steps=()
declare -A outcome=()
current=  # the step being run
plan() {
  local step
  for step in "$@"; do steps+=("$step"); outcome[$step]="not reached"; done
}
note() { outcome[$1]=$2; }

summary() {
  local step result=0
  say "summary"
  for step in "${steps[@]}"; do
    out "$(printf '%-24s %s' "$step" "${outcome[$step]}")"
    case ${outcome[$step]} in ok* | advisory* | "left out"*) ;; *) result=1 ;; esac
  done
  return $result
}

# ---- commands under a limit
declare -A limits=([build]=240 [parity]=150 [bench]=240 [tests]=180 [sanitizer]=60 [profile]=60
                   [kill]=3)
total=570
# Seconds a command may still take, if the whole is to end in time.
time_left() { echo $((total - SECONDS - limits[kill] - 2)); }

# allow STEP LIMIT REASON: sets `allowed` to the seconds the step may take. Where it is not to be
# run, or less than a quarter of its limit is left, the step is noted as left out, with the words of
# REASON ("left out" or "FAILED: left out") before.
allow() {
  local own=${limits[$2]} left
  left=$(time_left)
  if ((own == 0)); then
    note "$1" "left out: its limit is 0"
    return 1
  fi
  if ((left < 1 || left < own / 4)); then
    note "$1" "$3: $((left > 0 ? left : 0)) s left of --limit $total"
    return 1
  fi
  current=$1
  allowed=$((left < own ? left : own))
}

# By this every process that a step started is known, whatever process group it is in.
mark="TONNAGE_GPU_CHECK=$$-$EPOCHSECONDS"
# Ends what a step left behind.
sweep() {
  local folder entries
  for folder in /proc/[0-9]*; do
    [[ -O $folder ]] || continue
    entries=()
    mapfile -d '' -t entries <"$folder/environ"
    [[ " ${entries[*]} " != *" $mark "* ]] || kill -KILL "${folder#/proc/}"
  done 2>/dev/null
}

line_buffered=()
if command -v stdbuf >/dev/null && stdbuf -oL true 2>/dev/null; then
  line_buffered=(stdbuf -oL -eL)
fi
# The signal that came from outside. Only the loop below looks at it: a trap that ran in the middle of
# read would lose what read has read so far.
signal=''
# Of the command under way: its process, which leads a process group; where its output is read; the
# beginning of a line it has not ended.
running='' output='' unfinished=''
show() { out "$1"; [[ -z $1 ]] || last_line=$1; }

# limited HEARD SECONDS COMMAND...: runs the command without standard input and hands every line it
# prints to the function HEARD, which calls show. After the limit the command and its children are
# ended, by SIGKILL where SIGTERM does not suffice. Sets status, cut (yes where the limit ended it),
# last_line.
limited() {
  local heard=$1 seconds=$2 part got began=$SECONDS end
  shift 2
  end=$((began + seconds + limits[kill] + 1))
  last_line='' unfinished=''
  exec {output}< <(trap - PIPE
                   export "${mark?}"
                   exec "${line_buffered[@]}" timeout -k "${limits[kill]}" "$seconds" "$@" \
                        2>&1 </dev/null)
  running=$!
  while ((SECONDS <= end)); do
    [[ -z $signal ]] || interrupted
    if IFS= read -r -t 0.5 -u "$output" part; then
      part=$unfinished$part unfinished=''
      "$heard" "$part"
      continue
    else
      got=$?
    fi
    unfinished+=$part
    ((got > 128)) || break  # the end of the output
    # The command may have ended and a child of it still hold the pipe.
    kill -0 "$running" 2>/dev/null || sweep
  done
  [[ -z $unfinished ]] || "$heard" "$unfinished"
  exec {output}<&-
  output='' unfinished=''
  if ((SECONDS <= end)); then
    wait "$running" 2>/dev/null
    status=$?
    [[ -z $signal ]] || interrupted  # wait may have answered because of it
  else
    status=124  # nothing can end it: it is not waited for
  fi
  running=''
  sweep
  cut=no
  if ((status == 124 || (status == 137 && SECONDS - began >= seconds))); then
    cut=yes
    out "(cut after $seconds s)"
  fi
}

# Ends the command under way at once; the rest of its output still goes to the log.
stop_running() {
  local part=''
  [[ -n $running ]] || return
  kill -KILL -- "-$running" 2>/dev/null || kill -KILL "$running" 2>/dev/null
  sweep
  while [[ -n $output ]] && IFS= read -r -t 0.2 -u "$output" part; do
    out "$unfinished$part"
    unfinished='' part=''
  done
  [[ -z $unfinished$part ]] || out "$unfinished$part"
  running=''
}

# failure SECONDS: what became of the last command, where it did not succeed: its limit, else what
# the caller has found in its output (reason), else its last line.
failure() {
  if [[ $cut == yes ]]; then
    printf 'cut after %s s' "$1"
  elif [[ -n ${reason:-} ]]; then
    printf '%s' "$reason"
  else
    printf 'status %s%s' "$status" "${last_line:+: $last_line}"
  fi
}

# ---- tools and what they say
# tool NAME [FOLDER...]: the path of a program on PATH or in one of the folders.
tool() {
  local folder
  command -v "$1" && return
  for folder in "${@:2}"; do
    [[ ! -x $folder/$1 ]] || { printf '%s\n' "$folder/$1"; return; }
  done
  return 1
}

captured=
capture() { captured+=$1$'\n'; }
# ask SECONDS COMMAND...: sets captured to what a command prints and answer to its first line; the
# answer is empty where it fails or no time is left.
ask() {
  local left
  left=$(time_left)
  captured='' answer='' status=124 cut=yes last_line=''
  ((left >= 1)) || return
  limited capture $((left < $1 ? left : $1)) "${@:2}"
  [[ $status -eq 0 ]] && answer=${captured%%$'\n'*} || answer=
}

# smi FIELD: sets answer to what nvidia-smi says of the GPU, or unknown. It is not asked again after
# it has not answered.
smi_usable=yes
device=${CUDA_VISIBLE_DEVICES:-0}
smi() {
  answer=
  if [[ $smi_usable == yes ]] && command -v nvidia-smi >/dev/null; then
    ask 5 nvidia-smi --query-gpu="$1" --format=csv,noheader,nounits -i "${device%%,*}"
    [[ $cut == no ]] || smi_usable=no
  fi
  [[ -n $answer ]] || answer=unknown
}

# json NAME VALUE: a member of a JSON object, the value a string.
json() {
  local value=${2//[[:cntrl:]]/ }
  value=${value//\\/\\\\}
  printf '"%s": "%s"' "$1" "${value//\"/\\\"}"
}

# read_machine: sets and prints what the results say of the machine.
machine_names=(driver sm_clock_mhz max_sm_clock_mhz memory_clock_mhz power_limit_w nvcc)
machine_values=()
read_machine() {
  local field i
  for field in driver_version clocks.sm clocks.max.sm clocks.mem power.limit; do
    smi "$field"
    machine_values+=("$answer")
  done
  ask 5 nvcc --version
  [[ $captured =~ release\ ([^$'\n']+) ]] && answer=${BASH_REMATCH[1]} || answer=unknown
  machine_values+=("$answer")
  for i in "${!machine_names[@]}"; do out "${machine_names[i]}: ${machine_values[i]}"; done
}
# context COMMIT: that, date and CPU as members of a JSON object.
context() {
  local cpu='' key value i
  while IFS=: read -r key value; do
    [[ $key != "model name"* ]] || { cpu=${value# }; break; }
  done </proc/cpuinfo
  json date "$(date -u +%Y-%m-%dT%H:%M:%SZ)"; printf ', '
  json commit "$1"; printf ', '
  json cpu "${cpu:-unknown}"; printf ', "num_cpus": %s' "$(nproc)"
  for i in "${!machine_names[@]}"; do
    printf ', '; json "${machine_names[i]}" "${machine_values[i]}"
  done
}

# ---- clocks, power and temperature during the benchmarks
# start_samples CSV SECONDS: lines into the file, two a second, until the next sweep, or until this
# script is no more.
start_samples() {
  command -v nvidia-smi >/dev/null || return
  [[ -s $1 ]] || echo "timestamp,sm_clock_mhz,memory_clock_mhz,power_w,temperature_c" >"$1"
  (
    trap - PIPE
    export "${mark?}"
    "${line_buffered[@]}" timeout -k 1 "$2" nvidia-smi -i "${device%%,*}" -lms 500 \
      --query-gpu=timestamp,clocks.sm,clocks.mem,power.draw,temperature.gpu \
      --format=csv,noheader,nounits 2>/dev/null </dev/null |
      while read -r line && kill -0 $$; do echo "$line"; done >>"$1" 2>/dev/null &
  )
}

# describe_samples CSV: a line of minimum, median and maximum for each column.
describe_samples() {
  local file=$1 names values column row cell sorted
  IFS=, read -r -a names <"$file"
  for column in 1 2 3 4; do
    values=()
    while IFS=, read -r -a row; do
      cell=${row[column]:-}
      cell=${cell// /}
      [[ ! $cell =~ ^[0-9]+(\.[0-9]+)?$ ]] || values+=("$cell")
    done <"$file"
    ((${#values[@]} > 0)) || { out "${names[column]}: no samples"; continue; }
    mapfile -t sorted < <(printf '%s\n' "${values[@]}" | sort -g)
    out "${names[column]}: ${sorted[0]} / ${sorted[${#sorted[@]} / 2]} / ${sorted[-1]} (min / median / max of ${#sorted[@]} samples)"
  done
}

# ---- reports of compute-sanitizer
# Tools that are known to report correct code of CUB and Thrust: the look-back between tiles reads
# what nobody wrote yet and throws it away, and warps share memory without barriers. memcheck is not
# among them: an access out of bounds there comes from a wrong size handed over here.
known_tools=(initcheck racecheck)
# What such code looks like in a report: every frame on the device matches one of these.
known_frames=('^(0x[0-9a-f]+ in )?(void )?(cub|thrust)::'
              '^[^ ]*/(cub|thrust)/[^ ]+\.(cuh|h|inl):'
              ' in [^ ]*/(cub|thrust)/[^ ]+\.(cuh|h|inl):')

# start_reports TOOL: nothing read yet.
start_reports() {
  report_tool=$1 report_header='' report_lines=0 report_frames=0 report_strangers=0
  known_reports=0 new_reports=0 first_new='' report_summary=''
}
# A report ends. A header without further lines is a message of the tool, not a report.
end_report() {
  if ((report_lines > 0)); then
    if ((report_frames > 0 && report_strangers == 0)) &&
       [[ " ${known_tools[*]} " == *" $report_tool "* ]]; then
      known_reports=$((known_reports + 1))
    else
      new_reports=$((new_reports + 1))
      [[ -n $first_new ]] || first_new=$report_header
    fi
  fi
  report_header='' report_lines=0 report_frames=0 report_strangers=0
}
heard_report() {
  show "$1"
  [[ $1 == =========* ]] || return
  local text=${1#=========} pattern
  if [[ $text =~ ^[[:space:]]*$ ]]; then
    end_report
    return
  elif [[ $text =~ ^' '[^[:space:]] ]]; then
    end_report
    report_header=${text# }
    [[ $text != *" SUMMARY: "* ]] || report_summary=${text# }
  elif [[ -n $report_header ]]; then
    report_lines=$((report_lines + 1))
  fi
  [[ $text =~ ^' '+at' '(.+) || $text =~ ' access at '(.+) || $text =~ 'Device Frame:'' '*(.+) ]] ||
    return
  local frame=${BASH_REMATCH[1]}
  report_frames=$((report_frames + 1))
  for pattern in "${known_frames[@]}"; do [[ ! $frame =~ $pattern ]] || return; done
  report_strangers=$((report_strangers + 1))
}
# reports_verdict SECONDS: the outcome of the tool that has just run.
reports_verdict() {
  end_report
  local known=''
  ((known_reports == 0)) || known=", $known_reports known of CUB and Thrust"
  if ((new_reports > 0)); then
    echo "advisory: $new_reports to look into (above), first: $first_new$known"
  elif [[ $cut == yes ]]; then
    echo "advisory: $(failure "$1"), nothing new until then$known"
  elif ((known_reports == 0)) && [[ $report_summary =~ ' '[1-9] ]]; then
    echo "advisory: $report_summary"
  elif [[ -n $report_summary && ($status -eq 0 || $status -eq 9) ]]; then
    echo "ok: $report_summary$known"
  else
    echo "advisory: could not check: $(failure "$1")"
  fi
}
