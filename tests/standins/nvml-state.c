/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nvml-state.c: see nvml-state.h
 *
 * The kernel decides which changes are possible and how they fail: that is the test module, whose README
 * and sources name their references. Here its errno is mapped to NVML's code. */
#include "nvml-state.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setup/nvml-abi.h"

#define PCI "sys/bus/pci/devices"
#define STATE "run/fake-nvml"

static const char *
root(void)
{
    const char *set = getenv("FAKE_NVML_ROOT");

    return set ? set : "";
}

static size_t
read_file(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got;

    while (fd >= 0 && len < size - 1 && (got = read(fd, buf + len, size - 1 - len)) > 0)
        len += (size_t) got;
    if (fd >= 0)
        close(fd);
    buf[len] = '\0';
    return len;
}

static void
gpu_path(const FakeGpu *gpu, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/" PCI "/%s/%s", root(), gpu->address, name);
}

void
fake_read(const FakeGpu *gpu, const char *name, char *buf, size_t size)
{
    char path[512], file[64];

    snprintf(file, sizeof(file), "fakegpu/%s", name);
    gpu_path(gpu, file, path, sizeof(path));
    read_file(path, buf, size);
}

unsigned int
fake_number(const FakeGpu *gpu, const char *name, unsigned int fallback)
{
    char text[32];

    fake_read(gpu, name, text, sizeof(text));
    return isdigit((unsigned char) *text) ? (unsigned int) strtoul(text, NULL, 10) : fallback;
}

/* Of a file that the kernel has. */
static unsigned int
pci_number(const FakeGpu *gpu, const char *name)
{
    char path[512], text[32];

    gpu_path(gpu, name, path, sizeof(path));
    read_file(path, text, sizeof(text));
    return (unsigned int) strtoul(text, NULL, 0);
}

unsigned int
fake_model(const FakeGpu *gpu)
{
    return pci_number(gpu, "device");
}

unsigned int
fake_vfs(const FakeGpu *gpu)
{
    return pci_number(gpu, "sriov_numvfs");
}

int
fake_write(const FakeGpu *gpu, const char *name, const char *text)
{
    char path[512], file[64];
    int fd, failed;

    snprintf(file, sizeof(file), "fakegpu/%s", name);
    gpu_path(gpu, file, path, sizeof(path));
    fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? NVML_ERROR_NOT_SUPPORTED : NVML_ERROR_NO_PERMISSION;
    failed = write(fd, text, strlen(text)) < 0 ? errno : 0;
    close(fd);
    switch (failed) {
    case 0:
        return NVML_SUCCESS;
    case EBUSY:
        return NVML_ERROR_IN_USE;
    case EACCES:
    case EPERM:
        return NVML_ERROR_NO_PERMISSION;
    case EOPNOTSUPP:
        return NVML_ERROR_NOT_SUPPORTED;
    default:
        return NVML_ERROR_UNKNOWN;
    }
}

/* NVML ignores a GPU that is bound to another driver. */
static bool
is_foreign(const FakeGpu *gpu)
{
    char path[512], link[512];
    ssize_t len;

    gpu_path(gpu, "driver", path, sizeof(path));
    len = readlink(path, link, sizeof(link) - 1);
    if (len < 0)
        return false;
    link[len] = '\0';
    return strstr(link, "vfio-pci") || strstr(link, "pci-stub") || strstr(link, "pci-pf-stub");
}

static int
compare_gpus(const void *a, const void *b)
{
    return strcmp(((const FakeGpu *) a)->address, ((const FakeGpu *) b)->address);
}

unsigned int
fake_gpus(FakeGpu *list)
{
    char path[512], vendor[16];
    struct dirent *entry;
    unsigned int count = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/" PCI, root());
    dir = opendir(path);
    while (dir && count < MAX_GPUS && (entry = readdir(dir))) {
        FakeGpu *gpu = &list[count];
        size_t len = strlen(entry->d_name);

        if (entry->d_name[0] == '.' || len >= sizeof(gpu->address))
            continue;
        memcpy(gpu->address, entry->d_name, len + 1);
        gpu_path(gpu, "vendor", path, sizeof(path));
        read_file(path, vendor, sizeof(vendor));
        gpu_path(gpu, "fakegpu", path, sizeof(path));
        if (!strncmp(vendor, "0x10de", 6) && !access(path, F_OK) && !is_foreign(gpu))
            count++;
    }
    if (dir)
        closedir(dir);
    qsort(list, count, sizeof(*list), compare_gpus);
    return count;
}

unsigned int
fake_gis(const FakeGpu *gpu, FakeGi *list)
{
    char text[4096], *line, *rest = text;
    unsigned int count = 0;

    fake_read(gpu, "gpu_instances", text, sizeof(text));
    while (count < MAX_GIS && (line = strsep(&rest, "\n")))
        if (sscanf(line, "%u %u %u %u", &list[count].id, &list[count].profile, &list[count].start,
                   &list[count].size) == 4)
            count++;
    return count;
}

int
fake_gis_write(const FakeGpu *gpu, const FakeGi *list, unsigned int count)
{
    char text[4096] = "\n"; /* of nothing, the kernel would hear nothing */
    int len = 0;

    for (unsigned int i = 0; i < count; i++)
        len += snprintf(text + len, sizeof(text) - (size_t) len, "%u %u %u %u\n", list[i].id,
                        list[i].profile, list[i].start, list[i].size);
    return fake_write(gpu, "gpu_instances", text);
}

/* A number that stays the same while the vGPU exists. */
static unsigned int
vgpu_number(const FakeVgpu *vgpu)
{
    unsigned int hash = 5381;

    for (const char *c = vgpu->function; *c; c++)
        hash = hash * 33 + (unsigned char) *c;
    for (const char *c = vgpu->uuid; *c; c++)
        hash = hash * 33 + (unsigned char) *c;
    return hash ? hash : 1;
}

unsigned int
fake_vgpus(const FakeGpu *gpu, FakeVgpu *list)
{
    static char text[64 * 1024];
    char *line, *rest = text, gi[16];
    unsigned int count = 0;

    fake_read(gpu, "vgpus", text, sizeof(text));
    while (count < MAX_VGPUS && (line = strsep(&rest, "\n"))) {
        FakeVgpu *vgpu = &list[count];

        if (sscanf(line, "%31s %u %39s %15s %d", vgpu->function, &vgpu->type, vgpu->uuid, gi,
                   &vgpu->open) != 5)
            continue;
        vgpu->gi = *gi == '-' ? -1 : atoi(gi);
        vgpu->number = vgpu_number(vgpu);
        count++;
    }
    return count;
}

unsigned int
fake_types(const FakeGpu *gpu, FakeType *list)
{
    static char text[64 * 1024];
    char *line, *rest = text, gi[16];
    unsigned int count = 0;

    fake_read(gpu, "types", text, sizeof(text));
    while (count < MAX_TYPES && (line = strsep(&rest, "\n"))) {
        FakeType *type = &list[count];

        if (sscanf(line, "%u|%63[^|]|%u|%u|%u|%ux%u|%u|%u|%15[^|]|%u", &type->id, type->name,
                   &type->fb_mib, &type->heads, &type->frl, &type->width, &type->height,
                   &type->max, &type->max_per_vm, gi, &type->max_per_gi) != 11)
            continue;
        type->gi_profile = *gi == '-' ? ~0U : (unsigned int) strtoul(gi, NULL, 10);
        count++;
    }
    return count;
}

/* --- the machine of a vGPU ------------------------------------------------------------------ */

/* Find "-uuid" "VALUE" in a command line, whose words end with NUL. */
static bool
find_uuid_option(const char *words, size_t len, char *uuid, size_t size)
{
    bool next = false;

    for (size_t at = 0; at < len; at += strlen(words + at) + 1) {
        if (next) {
            snprintf(uuid, size, "%s", words + at);
            return true;
        }
        next = !strcmp(words + at, "-uuid");
    }
    return false;
}

static bool
names_device(const char *words, size_t len, const char *device)
{
    for (size_t at = 0; at < len; at += strlen(words + at) + 1)
        if (strstr(words + at, device))
            return true;
    return false;
}

bool
fake_vm_uuid(const FakeVgpu *vgpu, char *uuid, size_t size)
{
    static char words[64 * 1024];
    const char *device = *vgpu->uuid == '-' ? vgpu->function : vgpu->uuid;
    char path[512];
    struct dirent *entry;
    bool found = false;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/proc", root());
    dir = opendir(path);
    while (dir && !found && (entry = readdir(dir))) {
        size_t len;

        if (!isdigit((unsigned char) entry->d_name[0]))
            continue;
        snprintf(path, sizeof(path), "%s/proc/%.20s/cmdline", root(), entry->d_name);
        len = read_file(path, words, sizeof(words));
        found = names_device(words, len, device) && find_uuid_option(words, len, uuid, size);
    }
    if (dir)
        closedir(dir);
    return found;
}

/* --- run/fake-nvml/ ------------------------------------------------------------------------- */

static void
knob_path(const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/" STATE "/%s", root(), name);
}

void
fake_knob(const char *name, char *buf, size_t size)
{
    char path[512];

    knob_path(name, path, sizeof(path));
    read_file(path, buf, size);
}

bool
fake_has_knob(const char *name)
{
    char path[512];

    knob_path(name, path, sizeof(path));
    return !access(path, F_OK);
}

void
fake_set_knob(const char *name, const char *text)
{
    char path[512];
    int fd;

    knob_path(name, path, sizeof(path));
    if (!text) {
        unlink(path);
        return;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 && errno == ENOENT) {
        char dir[512];

        snprintf(dir, sizeof(dir), "%s/" STATE, root());
        mkdir(dir, 0755);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    }
    if (fd < 0)
        return;
    if (write(fd, text, strlen(text)) < 0)
        perror(path);
    close(fd);
}
