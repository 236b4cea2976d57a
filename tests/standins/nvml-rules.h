/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nvml-rules.h: rules common to all functions of the stand-in for NVML
 *
 * By NVIDIA's NVML API reference and nvml.h (github.com/NVIDIA/go-nvml, gen/nvml/nvml.h, 13.3): UNINITIALIZED
 * before nvmlInit(), INVALID_ARGUMENT for NULL and for what is not a handle, ARGUMENT_VERSION_MISMATCH,
 * INSUFFICIENT_SIZE with the size that is needed. */
#pragma once

#include "nvml-state.h"
#include "setup/nvml-abi.h"

#define EXPORT __attribute__((visibility("default")))

/* The functions, as a program that includes NVML's header would see them. */
#define DECLARE(name, arguments) EXPORT int name arguments;
NVML_FUNCTIONS(DECLARE)
EXPORT const char *nvmlErrorString(int code);

/* What the library found when it was started. */
extern FakeGpu fake_devices[MAX_GPUS];
extern unsigned int fake_n_devices;
/* The types of each of them, which do not change. */
extern FakeType fake_device_types[MAX_GPUS][MAX_TYPES];
extern unsigned int fake_n_types[MAX_GPUS];

/* GO_ON, or a code that is to be returned at once: a knob's, or the library is not started. */
#define GO_ON (-1)
int fake_enter(const char *name);

#define ENTER()                                                                                  \
    do {                                                                                         \
        int refused = fake_enter(__func__);                                                      \
        if (refused != GO_ON)                                                                    \
            return refused;                                                                      \
    } while (0)

#define NEED(condition)                                                                          \
    do {                                                                                         \
        if (!(condition))                                                                        \
            return NVML_ERROR_INVALID_ARGUMENT;                                                  \
    } while (0)

#define VERSIONED(pointer, n)                                                                    \
    do {                                                                                         \
        NEED(pointer);                                                                           \
        if ((pointer)->version != NVML_VERSION(*(pointer), n))                                   \
            return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;                                         \
    } while (0)

/* The GPU of a handle; NULL: it is none. */
const FakeGpu *fake_device(const void *device);
/* The GPU of an instance that is there now, whose place in @list is *@at. */
const FakeGpu *fake_find_gi(const void *instance, FakeGi *list, unsigned int *count,
                            unsigned int *at);

/* The compute slices of a GPU instance. */
unsigned int fake_gi_slices(const FakeGi *gi);
/* Whether there are compute instances on it. */
bool fake_has_compute(const FakeGpu *gpu, unsigned int gi);

/* Answers as NVML gives them: INSUFFICIENT_SIZE, and for a list how many there are. */
int fake_give_text(const char *from, char *text, unsigned int size);
int fake_give_list(const unsigned int *from, unsigned int n, unsigned int *count,
                   unsigned int *list);
