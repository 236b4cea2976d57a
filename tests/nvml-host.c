/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nvml-host.h"

#include <stdlib.h>
#include <string.h>

static char *
built(const char *name)
{
    const char *builddir = g_getenv("builddir");

    /* not a bare name, which dlopen() would look for elsewhere */
    return g_build_filename(builddir ? builddir : ".", "tests", "standins", name, NULL);
}

char *
nvml_host_library(void)
{
    return built("libnvidia-ml.so.1");
}

char *
nvml_host_empty_library(void)
{
    return built("libnvml-empty.so");
}

static char *
gpu_file(const char *gpu, const char *name)
{
    return g_strdup_printf("sys/bus/pci/devices/%s/%s", gpu, name);
}

void
nvml_host_set(const Scratch *self, const char *gpu, const char *name, const char *text)
{
    g_autofree char *file = g_strconcat("fakegpu/", name, NULL);
    g_autofree char *path = gpu_file(gpu, file);

    scratch_write(self, path, text);
}

char *
nvml_host_get(const Scratch *self, const char *gpu, const char *name)
{
    g_autofree char *file = g_strconcat("fakegpu/", name, NULL);
    g_autofree char *path = gpu_file(gpu, file);

    return scratch_read(self, path);
}

static void
add_gpu(const Scratch *self, const char *gpu, const char *mig, const char *mixed,
        const char *types)
{
    g_autofree char *vendor = gpu_file(gpu, "vendor");

    scratch_write(self, vendor, "0x10de\n");
    nvml_host_set(self, gpu, "mig_capable", mig);
    nvml_host_set(self, gpu, "mig_mode", "0\n");
    nvml_host_set(self, gpu, "gpu_instances", "");
    nvml_host_set(self, gpu, "mixed", mixed);
    nvml_host_set(self, gpu, "scheduler", "\n");
    nvml_host_set(self, gpu, "types", types);
    nvml_host_set(self, gpu, "vgpus", "");
}

Scratch
nvml_host_new(void)
{
    Scratch self = scratch_new();

    add_gpu(&self, A100, "1\n", "0\n",
            "468|GRID A100-4C|4096|1|60|4096x2400|10|16|-|0\n"
            "474|GRID A100-1-5C|5120|1|60|4096x2400|7|1|19|1\n");
    add_gpu(&self, A2, "0\n", "0\n",
            "742|NVIDIA A2-1B|1024|4|45|5120x2880|16|1|-|0\n"
            "746|NVIDIA A2-4Q|4096|4|60|7680x4320|4|16|-|0\n");
    scratch_write(&self, "run/fake-nvml/README", "");
    g_setenv("FAKE_NVML_ROOT", self.path, TRUE);
    return self;
}

VgpuNvml *
nvml_host_open(void)
{
    g_autofree char *library = nvml_host_library();
    g_autoptr(GError) error = NULL;
    VgpuNvml *nvml = vgpu_nvml_open(library, &error);

    if (!nvml)
        g_error("%s", error->message);
    return nvml;
}

void
nvml_host_knob(const Scratch *self, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename("run/fake-nvml", name, NULL);

    if (text)
        scratch_write(self, path, text);
    else
        scratch_remove(self, path);
}

void
nvml_host_fail(const Scratch *self, const char *name, int code)
{
    g_autofree char *knob = g_strconcat("fail-", name, NULL);
    g_autofree char *text = g_strdup_printf("%d", code);

    nvml_host_knob(self, knob, code ? text : NULL);
}

void
nvml_host_run(const Scratch *self, const char *device)
{
    g_autofree char *path = scratch_path(self, "proc/4711/cmdline");
    g_autoptr(GString) words = g_string_new(NULL);

    scratch_write(self, "proc/4711/cmdline", "");
    g_string_append(words, "qemu-system-x86_64");
    g_string_append_c(words, '\0');
    g_string_append(words, "-uuid");
    g_string_append_c(words, '\0');
    g_string_append(words, VM_UUID);
    g_string_append_c(words, '\0');
    g_string_append_printf(words, "{\"driver\":\"vfio-pci\",\"sysfsdev\":\"/sys/x/%s\"}", device);
    g_string_append_c(words, '\0');
    if (!g_file_set_contents(path, words->str, (gssize) words->len, NULL))
        g_error("%s", path);
}
