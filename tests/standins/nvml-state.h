/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nvml-state.h: the state of the stand-in for NVML, read from files for each call
 *
 * The GPUs are the PCI functions of NVIDIA below $FAKE_NVML_ROOT (default "/") that have a
 * directory fakegpu/: those of the kernel test module, or plain files in a made tree. Other state
 * is in $FAKE_NVML_ROOT/run/fake-nvml/, as are the knobs. Uses libc only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define MAX_GPUS 32
#define MAX_GIS 16
#define MAX_VGPUS 256
#define MAX_TYPES 128

typedef struct {
    char address[32];
} FakeGpu;

/* A line of gpu_instances. */
typedef struct {
    unsigned int id, profile, start, size;
} FakeGi;

/* A line of vgpus. */
typedef struct {
    unsigned int number; /* NVML's */
    char function[32];
    unsigned int type;
    char uuid[40]; /* "-": no mdev */
    int gi;        /* -1: none */
    int open;
} FakeVgpu;

/* A line of types. */
typedef struct {
    unsigned int id;
    char name[64];
    unsigned int fb_mib, heads, frl, width, height, max, max_per_vm;
    unsigned int gi_profile; /* ~0: none */
    unsigned int max_per_gi;
} FakeType;

/* Returns the number of GPUs. */
unsigned int fake_gpus(FakeGpu *list);

/* A file of the GPU's directory fakegpu/: its first number, or @fallback. */
unsigned int fake_number(const FakeGpu *gpu, const char *name, unsigned int fallback);
/* Its PCI device id; 0: unknown. */
unsigned int fake_model(const FakeGpu *gpu);
/* The number of VFs that are enabled. */
unsigned int fake_vfs(const FakeGpu *gpu);
/* Whole files, "" when it is not there. */
void fake_read(const FakeGpu *gpu, const char *name, char *buf, size_t size);
/* Returns the NVML code for the kernel's answer. */
int fake_write(const FakeGpu *gpu, const char *name, const char *text);

unsigned int fake_gis(const FakeGpu *gpu, FakeGi *list);
int fake_gis_write(const FakeGpu *gpu, const FakeGi *list, unsigned int count);
unsigned int fake_vgpus(const FakeGpu *gpu, FakeVgpu *list);
unsigned int fake_types(const FakeGpu *gpu, FakeType *list);

/* The UUID of the machine that has it open: of the QEMU whose command line names the device. */
bool fake_vm_uuid(const FakeVgpu *vgpu, char *uuid, size_t size);

/* --- run/fake-nvml/ ------------------------------------------------------------------------- */

/* A knob that is not there is "". */
void fake_knob(const char *name, char *buf, size_t size);
bool fake_has_knob(const char *name);
/* NULL: remove it. */
void fake_set_knob(const char *name, const char *text);
