// What the processor, its clock and its power states do to latencies.
import { costs, type Finding, good, unknown } from './finding.js'
import type { Machine } from './machine.js'

const CPU = 'sys/devices/system/cpu'

export function processor(machine: Machine, model: string, cores: number): Finding {
  const name = 'processor'
  const isVirtual = machine.read('proc/cpuinfo')?.match(/^flags\s*:.*\bhypervisor\b/m) != null
  const found = `${model}, ${cores} ${cores === 1 ? 'core' : 'cores'} for this process${isVirtual ? ', virtual' : ''}`
  if (cores === 1)
    return costs(
      name,
      found,
      'two threads take turns, so that a spinning one holds up all others for milliseconds',
      "leave threads: 'auto', which fuses all stages on one thread, and wait: 'backoff'; or give the process more cores",
    )
  if (isVirtual)
    return costs(
      name,
      found,
      'the host takes a core away when it likes: gaps from 10 µs to some ms, which show as p99 and beyond',
      'rent dedicated cores or bare metal where the tail matters; velox bench shows the gaps',
    )
  return good(name, found)
}

/** A container may have the time of fewer cores than it sees. */
export function quota(machine: Machine): Finding[] {
  const [most, period] = (machine.read('sys/fs/cgroup/cpu.max') ?? 'max').split(' ')
  if (most === undefined || most === 'max' || period === undefined) return []
  const share = Number(most) / Number(period)
  return [
    costs(
      'quota',
      `the container may use ${share.toFixed(2)} cores' time`,
      `threads that used it up stand still until the next ${Number(period) / 1000} ms begin: latencies of as much`,
      "run the container without a limit (--cpus) and with cores of its own (--cpuset-cpus); never wait: 'spin' under a limit",
    ),
  ]
}

export function counter(source: string | undefined, ppm: number | undefined): Finding {
  const name = 'counter'
  if (source === undefined) return unknown(name, 'not asked, as the native addon is missing')
  if (source === 'os')
    return costs(
      name,
      'not trusted, the system counts instead',
      'a look at the clock costs 20 to 60 ns, or up to 1 µs where the system asks a device, instead of about 10',
      "see the clock source; a processor without an invariant counter can't be mended",
    )
  return good(name, `${source}, invariant, calibrated to ${(ppm ?? 0).toFixed(2)} ppm`)
}

const GOOD_SOURCES = ['tsc', 'kvm-clock', 'hyperv_clocksource_tsc_page', 'arch_sys_counter']

export function clockSource(machine: Machine): Finding[] {
  if (!machine.isLinux) return []
  const name = 'clock source'
  const folder = 'sys/devices/system/clocksource/clocksource0'
  const found = machine.read(`${folder}/current_clocksource`)
  if (found === undefined) return [unknown(name, 'not told by this system')]
  if (GOOD_SOURCES.includes(found)) return [good(name, found)]
  const others = machine.read(`${folder}/available_clocksource`)?.split(' ') ?? []
  return [
    costs(
      name,
      found,
      'each look at the clock is a call of the kernel, 300 ns to 2 µs: it is most of what a small stage costs',
      others.includes('tsc')
        ? `echo tsc | sudo tee /${folder}/current_clocksource; to keep it, boot with clocksource=tsc tsc=reliable`
        : 'the kernel found the counter unstable: look for "tsc" in dmesg, and at the firmware or the hypervisor',
    ),
  ]
}

export function governor(machine: Machine): Finding[] {
  if (!machine.isLinux) return []
  const name = 'governor'
  const cores = machine.list(CPU).filter((entry) => /^cpu\d+$/.test(entry))
  const found = new Set(cores.flatMap((core) => machine.read(`${CPU}/${core}/cpufreq/scaling_governor`) ?? []))
  if (found.size === 0) return [unknown(name, 'not told: the host or the firmware sets the frequency')]
  const text = [...found].join(', ')
  if (text === 'performance') return [good(name, text)]
  return [
    costs(
      name,
      text,
      'a core that was idle begins slowly: the first records of a burst take 2 to 4 times as long',
      'sudo cpupower frequency-set -g performance',
    ),
  ]
}

/** So deep a sleep is left faster than a thread is woken. */
const SHORT_MICROS = 20

export function idleStates(machine: Machine): Finding[] {
  if (!machine.isLinux) return []
  const name = 'idle states'
  const folder = `${CPU}/cpu0/cpuidle`
  const states = machine.list(folder).flatMap((state) => {
    const micros = Number(machine.read(`${folder}/${state}/latency`) ?? Number.NaN)
    const isOff = machine.read(`${folder}/${state}/disable`) === '1'
    return Number.isNaN(micros) || isOff ? [] : [{ micros, of: machine.read(`${folder}/${state}/name`) ?? state }]
  })
  const [deepest] = states.sort((a, b) => b.micros - a.micros)
  if (deepest === undefined) return [unknown(name, 'not told: the host or the firmware decides')]
  const found = `the deepest is ${deepest.of}, left in ${deepest.micros} µs`
  if (deepest.micros <= SHORT_MICROS) return [good(name, found)]
  return [
    costs(
      name,
      found,
      `a thread that sleeps (wait: 'backoff' or 'block') wakes up to ${deepest.micros} µs later`,
      `sudo cpupower idle-set -D ${SHORT_MICROS}, or wait: 'spin' on a core that is its own`,
    ),
  ]
}

export function isolation(machine: Machine): Finding[] {
  if (!machine.isLinux) return []
  const name = 'isolation'
  const isolated = machine.read(`${CPU}/isolated`)
  if (isolated) return [good(name, `cores ${isolated} are nobody else's`)]
  return [
    costs(
      name,
      'no core is isolated',
      "other programs and the kernel's own work interrupt a spinning thread: gaps of 10 µs to some ms",
      'boot with isolcpus=3 nohz_full=3 rcu_nocbs=3 and name that core: threads: [{ core: 3, stages: […] }]',
    ),
  ]
}

export function hyperthreads(machine: Machine): Finding[] {
  if (!machine.isLinux) return []
  const name = 'hyperthreads'
  const active = machine.read(`${CPU}/smt/active`)
  if (active === undefined) return [unknown(name, 'not told by this system')]
  if (active === '0') return [good(name, 'off, or hidden by the host')]
  const siblings = machine.read(`${CPU}/cpu0/topology/thread_siblings_list`)
  return [
    costs(
      name,
      `on${siblings ? `: ${siblings} are one core` : ''}`,
      'two busy threads on one core get 50 to 65 % of it each; a ring between them is near, though',
      'echo off | sudo tee /sys/devices/system/cpu/smt/control, or keep the sibling of a pinned core free',
    ),
  ]
}
