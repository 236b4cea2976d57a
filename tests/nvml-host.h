/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nvml-host.h: a made host whose GPUs the stand-in for NVML manages
 *
 * One at a time, since the stand-in finds it through the environment. */
#pragma once

#include "scratch.h"
#include "setup/nvml.h"

/* On every such host: an A2 and, MIG capable, an A100 of 40 GB. */
#define A2 "0000:41:00.0"
#define A100 "0000:a1:00.0"

#define VM_UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
#define MDEV_UUID "251e8969-0e28-5c92-b0e8-c8bd34136128"

/* Where make puts the libraries. */
char *nvml_host_library(void);
char *nvml_host_empty_library(void);

Scratch nvml_host_new(void);
/* The library, which must start. */
VgpuNvml *nvml_host_open(void);

/* A file of the GPU's directory fakegpu/. */
void nvml_host_set(const Scratch *self, const char *gpu, const char *name, const char *text);
char *nvml_host_get(const Scratch *self, const char *gpu, const char *name);
/* The function @name of the stand-in answers with @code from now on, 0: as usual again. */
void nvml_host_fail(const Scratch *self, const char *name, int code);
/* Any other knob. */
void nvml_host_knob(const Scratch *self, const char *name, const char *text);
/* A machine with VM_UUID runs, and has @device open. */
void nvml_host_run(const Scratch *self, const char *device);
