/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-judge.h: doctor's judgement of the data that it has read
 *
 * Pure: facts in, a finding out. The reading is done in doctor-*.c. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "cli/truth.h"

#define VGPU_DOCTOR_OK "ok"
#define VGPU_DOCTOR_WARN "warn"
#define VGPU_DOCTOR_FAIL "fail"

/* The result of a check; nothing to say when @status is NULL. */
typedef struct {
    const char *status;
    char *detail;
    char *fix; /* NULL: nothing to do */
} VgpuFinding;

void vgpu_finding_clear(VgpuFinding *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VgpuFinding, vgpu_finding_clear)

typedef struct {
    guint groups;        /* with a device of the host in them; those of mdevs do not count */
    const char *cmdline; /* the kernel's; NULL: not known */
    const char *cpu;     /* /proc/cpuinfo's vendor_id; NULL: there is none */
    bool is_missed;      /* some GPU could make vGPUs if there were an IOMMU */
} VgpuIommuFacts;
VgpuFinding vgpu_doctor_judge_iommu(const VgpuIommuFacts *facts);

/* A module whose absence is @without_it; @sign: the files that it creates exist, so it may be built in. */
VgpuFinding vgpu_doctor_judge_module(const char *name, bool loaded, bool sign,
                                     const char *without_it, const char *purpose);

#define VGPU_DOCTOR_VERSION(major, minor) ((major) *1000u + (minor))

/* Versions as of VGPU_DOCTOR_VERSION(), 0: not known. */
typedef struct {
    guint kernel, qemu;
    VgpuTruth iommufd; /* the running kernel has it */
} VgpuMigrationFacts;
/* Whether QEMU and the kernel can save a running domain with a vGPU. It is never a fault. */
VgpuFinding vgpu_doctor_judge_migration(const VgpuMigrationFacts *facts);

/* The times when the service looked for hooks, when ours was installed, and when the oldest other
 * executable one was (0: there is none). Times in one unit. */
typedef struct {
    const char *service;
    gint64 loaded;
    gint64 installed;
    gint64 other;
} VgpuHookTimes;
VgpuFinding vgpu_doctor_judge_hook_loaded(const VgpuHookTimes *times);

/* Another hook: its text, and whether it is our program once more. */
VgpuFinding vgpu_doctor_judge_other_hook(const char *text, bool is_ours);

/* @context: what libvirt's daemon runs as (/proc/PID/attr/current); @program: where our hook
 * is. */
VgpuFinding vgpu_doctor_judge_apparmor(const char *context, const char *program);
/* @label: the context of the file @program, NULL: it has none. Only where SELinux enforces. */
VgpuFinding vgpu_doctor_judge_selinux(const char *context, const char *label,
                                      const char *program);
