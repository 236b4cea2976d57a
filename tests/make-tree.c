/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* make-tree: a root for --root with GPUs in it, as the kernel and NVIDIA's driver show them
 *
 *   make-tree DIR                the cards of the lab: an A2 with 16 VFs at 0000:41:00.0, M10s at
 *                                0000:84:00.0 and 0000:85:00.0, a P40 at 10000:01:00.0
 *   make-tree DIR N K            N plain PCI functions, each Kth of them an M10
 *   make-tree --add DIR BOARD... more cards in a tree that is there:
 *                                  l40s    0000:61:00.0, 4 VFs 0000:61:00.4 to .7, NVIDIA's
 *                                          vendor-specific VFIO
 *                                  l40s-2  0000:62:00.0, the same on NUMA node 1
 *                                  l40s-32 0000:26:00.0, 32 VFs from 0000:26:00.4 on, with all
 *                                          that a real L40S lists, and takes
 *                                  a100    0000:a1:00.0, 16 VFs with mdev types, room for 10
 *                                  s7150   0000:c1:00.0, AMD's, 4 plain VFs at 0000:c1:02.0 to .3
 *                                  hd620   0000:00:02.0, Intel's, GVT-g
 *   make-tree --write FILE TEXT  one write() to a file of such a tree, by the fake driver
 * The fake driver needs FAKE_DRIVER_ROOT for that. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct profile {
    const char *id;
    const char *name;
    unsigned fb_mib, heads, frl;
    const char *max_resolution;
    unsigned max_instance;
};

static const struct profile a2[] = {
    { "nvidia-744", "NVIDIA A2-1Q", 1024, 4, 60, "5120x2880", 16 },
    { "nvidia-745", "NVIDIA A2-2Q", 2048, 4, 60, "7680x4320", 8 },
    { "nvidia-746", "NVIDIA A2-4Q", 4096, 4, 60, "7680x4320", 4 },
    { "nvidia-747", "NVIDIA A2-8Q", 8192, 4, 60, "7680x4320", 2 },
    { "nvidia-748", "NVIDIA A2-16Q", 16384, 4, 60, "7680x4320", 1 },
    { "nvidia-751", "NVIDIA A2-4A", 4096, 1, 60, "1280x1024", 4 },
    { 0 },
};
static const struct profile m10[] = {
    { "nvidia-36", "GRID M10-0Q", 512, 2, 60, "2560x1600", 16 },
    { "nvidia-39", "GRID M10-1Q", 1024, 4, 60, "5120x2880", 8 },
    { "nvidia-41", "GRID M10-2Q", 2048, 4, 60, "5120x2880", 4 },
    { "nvidia-43", "GRID M10-4Q", 4096, 4, 60, "5120x2880", 2 },
    { "nvidia-45", "GRID M10-8Q", 8192, 4, 60, "5120x2880", 1 },
    { 0 },
};
static const struct profile p40[] = {
    { "nvidia-46", "GRID P40-1Q", 1024, 4, 60, "5120x2880", 24 },
    { "nvidia-49", "GRID P40-4Q", 4096, 4, 60, "7680x4320", 6 },
    { "nvidia-58", "GRID P40-6A", 6144, 1, 60, "1280x1024", 4 },
    /* made up: it tempts code that matches by substring */
    { "nvidia-588", "NVIDIA A10-1B", 1024, 4, 45, "5120x2880", 24 },
    { 0 },
};

static const struct profile a100[] = {
    { "nvidia-468", "GRID A100-4C", 4096, 1, 60, "4096x2160", 10 },
    { "nvidia-469", "GRID A100-5C", 5120, 1, 60, "4096x2160", 8 },
    { "nvidia-471", "GRID A100-10C", 10240, 1, 60, "4096x2160", 4 },
    { 0 },
};
/* The numbers of instances are smaller than the real card's. */
static const struct profile l40s[] = {
    { "1145", "NVIDIA L40S-1B", 1024, 4, 45, "5120x2880", 4 },
    { "1147", "NVIDIA L40S-1Q", 1024, 4, 60, "5120x2880", 4 },
    { "1150", "NVIDIA L40S-4Q", 4096, 4, 60, "7680x4320", 3 },
    { "1152", "NVIDIA L40S-8Q", 8192, 4, 60, "7680x4320", 2 },
    { "1156", "NVIDIA L40S-48Q", 49152, 4, 60, "7680x4320", 1 },
    { "1160", "NVIDIA L40S-4A", 4096, 1, 60, "1280x1024", 3 },
    { 0 },
};

/* As the mdev core of Linux 6.1 and newer names them. Nothing is made of them. */
static const struct profile gvt[] = {
    { "i915-GVTg_V5_4", "GVTg_V5_4", 0, 0, 0, "1920x1200", 5 },
    { "i915-GVTg_V5_8", "GVTg_V5_8", 0, 0, 0, "1024x768", 7 },
    { 0 },
};

/* Ids and names as harvester/pcidevices has them of a real VF (pkg/util/gpuhelper/testdata),
 * numbers as NVIDIA/vgpu-device-manager has them (examples/config-example.yaml; of the A- and
 * B-series those of the Q-series). */
static const struct profile l40s_full[] = {
    { "1145", "NVIDIA L40S-1B", 1024, 4, 45, "5120x2880", 32 },
    { "1146", "NVIDIA L40S-2B", 2048, 4, 45, "5120x2880", 24 },
    { "1147", "NVIDIA L40S-1Q", 1024, 4, 60, "5120x2880", 32 },
    { "1148", "NVIDIA L40S-2Q", 2048, 4, 60, "7680x4320", 24 },
    { "1149", "NVIDIA L40S-3Q", 3072, 4, 60, "7680x4320", 16 },
    { "1150", "NVIDIA L40S-4Q", 4096, 4, 60, "7680x4320", 12 },
    { "1151", "NVIDIA L40S-6Q", 6144, 4, 60, "7680x4320", 8 },
    { "1152", "NVIDIA L40S-8Q", 8192, 4, 60, "7680x4320", 6 },
    { "1153", "NVIDIA L40S-12Q", 12288, 4, 60, "7680x4320", 4 },
    { "1154", "NVIDIA L40S-16Q", 16384, 4, 60, "7680x4320", 3 },
    { "1155", "NVIDIA L40S-24Q", 24576, 4, 60, "7680x4320", 2 },
    { "1156", "NVIDIA L40S-48Q", 49152, 4, 60, "7680x4320", 1 },
    { "1157", "NVIDIA L40S-1A", 1024, 1, 60, "1280x1024", 32 },
    { "1158", "NVIDIA L40S-2A", 2048, 1, 60, "1280x1024", 24 },
    { "1159", "NVIDIA L40S-3A", 3072, 1, 60, "1280x1024", 16 },
    { "1160", "NVIDIA L40S-4A", 4096, 1, 60, "1280x1024", 12 },
    { "1161", "NVIDIA L40S-6A", 6144, 1, 60, "1280x1024", 8 },
    { "1162", "NVIDIA L40S-8A", 8192, 1, 60, "1280x1024", 6 },
    { "1163", "NVIDIA L40S-12A", 12288, 1, 60, "1280x1024", 4 },
    { "1164", "NVIDIA L40S-16A", 16384, 1, 60, "1280x1024", 3 },
    { "1165", "NVIDIA L40S-24A", 24576, 1, 60, "1280x1024", 2 },
    { "1166", "NVIDIA L40S-48A", 49152, 1, 60, "1280x1024", 1 },
    { "2164", "NVIDIA L40S-3B", 3072, 4, 45, "5120x2880", 16 },
    { 0 },
};

typedef char Path[PATH_MAX];

__attribute__((noreturn)) static void
die(const char *what)
{
    fprintf(stderr, "make-tree: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

__attribute__((format(printf, 2, 3))) static char *
format(Path path, const char *text, ...)
{
    va_list args;

    va_start(args, text);
    vsnprintf(path, PATH_MAX, text, args);
    va_end(args);
    return path;
}

static void
make_dir(const char *name)
{
    Path path;

    strcpy(path, name);
    for (char *end = path; end;) {
        end = strchr(end + 1, '/');
        if (end)
            *end = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            die(path);
        if (end)
            *end = '/';
    }
}

static void
put(const char *dir, const char *name, const char *text)
{
    Path path;
    FILE *file = fopen(format(path, "%s/%s", dir, name), "w");

    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        die(path);
}

static void
link_to(const char *target, const char *path)
{
    if (symlink(target, path) < 0)
        die(path);
}

struct function {
    unsigned domain, bus, slot, number;
    const char *class, *vendor, *device, *driver;
    const char *numa; /* NULL: node 0 */
};

/* sys/devices/pciDOMAIN:BUS/ADDR with its link on the bus; @dir gets the former. */
static void
make_function(const struct function *f, Path dir, char addr[32])
{
    Path path, target;

    snprintf(addr, 32, "%04x:%02x:%02x.%u", f->domain, f->bus, f->slot, f->number);
    make_dir(format(dir, "sys/devices/pci%04x:%02x/%s", f->domain, f->bus & 0xc0, addr));
    put(dir, "class", f->class);
    put(dir, "vendor", f->vendor);
    put(dir, "device", f->device);
    put(dir, "numa_node", f->numa ? f->numa : "0\n");
    link_to(format(target, "../../../%s", dir + strlen("sys/")),
            format(path, "sys/bus/pci/devices/%s", addr));
    if (f->driver) {
        make_dir(format(path, "sys/bus/pci/drivers/%s", f->driver));
        link_to(format(target, "../../../bus/pci/drivers/%s", f->driver),
                format(path, "%s/driver", dir));
    }
}

static void
make_types(const char *dir, const char *addr, const struct profile *profiles, int is_vf)
{
    Path path, type;
    char text[256];

    for (const struct profile *p = profiles; p->id; p++) {
        make_dir(format(type, "%s/mdev_supported_types/%s", dir, p->id));
        snprintf(text, sizeof(text), "%s\n", p->name);
        put(type, "name", text);
        snprintf(
            text, sizeof(text),
            "num_heads=%u, frl_config=%u, framebuffer=%uM, max_resolution=%s, max_instance=%u\n",
            p->heads, p->frl, p->fb_mib, p->max_resolution, p->max_instance);
        put(type, "description", text);
        /* of one length whatever the number, as the fake driver changes it in place */
        snprintf(text, sizeof(text), "%-3u\n", is_vf ? 1 : p->max_instance);
        put(type, "available_instances", text);
        put(type, "device_api", "vfio-pci\n");
        put(type, "create", "");
    }
    link_to(format(path, "../../%s", dir + strlen("sys/")),
            format(type, "sys/class/mdev_bus/%s", addr));
}

static void
make_gpu(struct function f, const struct profile *profiles)
{
    Path dir;
    char addr[32];

    if (!f.vendor)
        f.vendor = "0x10de\n";
    if (!f.driver)
        f.driver = "nvidia";
    make_function(&f, dir, addr);
    make_types(dir, addr, profiles, 0);
}

/* PF and VFs; the first VF is @first functions behind the PF. @each, if any, is called for each VF. */
static void
make_sriov(struct function f, unsigned first, unsigned n_vfs, unsigned total, Path pf_dir,
           void (*each)(const char *dir, const char *addr, const void *data, unsigned n),
           const void *data)
{
    Path vf_dir, path, target;
    char pf_addr[32], vf_addr[32], text[16];

    make_function(&f, pf_dir, pf_addr);
    snprintf(text, sizeof(text), "%u\n", total);
    put(pf_dir, "sriov_totalvfs", text);
    snprintf(text, sizeof(text), "%u\n", n_vfs);
    put(pf_dir, "sriov_numvfs", text);
    for (unsigned i = 0; i < n_vfs; i++) {
        f.slot = (first + i) / 8;
        f.number = (first + i) % 8;
        make_function(&f, vf_dir, vf_addr);
        link_to(format(target, "../%s", pf_addr), format(path, "%s/physfn", vf_dir));
        link_to(format(target, "../%s", vf_addr), format(path, "%s/virtfn%u", pf_dir, i));
        each(vf_dir, vf_addr, data, i);
    }
}

static void
give_types(const char *dir, const char *addr, const void *profiles, unsigned n)
{
    (void) n;
    make_types(dir, addr, profiles, 1);
}

/* The VFs begin at function 4, as on the real card. */
static void
make_sriov_gpu(struct function f, const struct profile *profiles, unsigned n_vfs)
{
    Path dir;

    f.vendor = "0x10de\n";
    f.driver = "nvidia";
    make_sriov(f, 4, n_vfs, n_vfs, dir, give_types, profiles);
}

/* What QEMU opens for a VF; the file says whose group it is. */
static void
give_group(const char *dir, const char *addr, const void *base, unsigned n)
{
    unsigned group = *(const unsigned *) base + n;
    Path path, target;
    char name[16];

    make_dir(format(path, "sys/kernel/iommu_groups/%u", group));
    link_to(format(target, "../../../kernel/iommu_groups/%u", group),
            format(path, "%s/iommu_group", dir));
    snprintf(name, sizeof(name), "%u", group);
    put("dev/vfio", name, addr);
}

/* A GPU with vendor-specific VFIO. */
struct vendor_gpu {
    unsigned group; /* of its first VF */
    const struct profile *profiles;
};

static void
give_vendor_files(const char *dir, const char *addr, const void *data, unsigned n)
{
    const struct vendor_gpu *gpu = data;
    Path path, list;
    FILE *file;

    give_group(dir, addr, &gpu->group, n);
    make_dir(format(path, "%s/nvidia", dir));
    put(path, "current_vgpu_type", "0         \n");
    put(path, "vgpu_params", "");
    file = fopen(format(list, "%s/creatable_vgpu_types", path), "w");
    if (!file)
        die(list);
    fprintf(file, "ID    : vGPU Name\n");
    for (const struct profile *p = gpu->profiles; p->id; p++)
        fprintf(file, "%-5s : %s\n", p->id, p->name);
    fclose(file);
}

/* The fake driver finds the sizes in a table of its own, since the real one shows none. */
static void
make_l40s(unsigned bus, const char *numa, const struct profile *profiles, unsigned n_vfs)
{
    const struct function f = {
        .bus = bus,
        .class = "0x030200\n",
        .vendor = "0x10de\n",
        .device = "0x26b9\n",
        .driver = "nvidia",
        .numa = numa,
    };
    const struct vendor_gpu gpu = { .group = 1000 + bus * 64, .profiles = profiles };
    Path dir, path;
    FILE *file;

    make_sriov(f, 4, n_vfs, 32, dir, give_vendor_files, &gpu);
    file = fopen(format(path, "driver/types-%s", strrchr(dir, '/') + 1), "w");
    if (!file)
        die(path);
    for (const struct profile *p = profiles; p->id; p++)
        fprintf(file, "%s %u %u %s\n", p->id, p->fb_mib, p->max_instance, p->name);
    fclose(file);
}

static void
make_s7150(void)
{
    const struct function f = {
        .bus = 0xc1,
        .class = "0x030000\n",
        .vendor = "0x1002\n",
        .device = "0x6929\n",
        .driver = "gim",
    };
    const unsigned base = 1000 + 0xc1 * 64;
    Path dir;

    make_sriov(f, 16, 4, 16, dir, give_group, &base);
}

static void
make_a100(void)
{
    const struct function f = { .bus = 0xa1, .class = "0x030200\n", .device = "0x20f1\n" };

    make_sriov_gpu(f, a100, 16);
}

static void
make_hd620(void)
{
    const struct function f = {
        .slot = 2,
        .class = "0x030000\n",
        .vendor = "0x8086\n",
        .device = "0x5916\n",
        .driver = "i915",
    };

    make_gpu(f, gvt);
}

static int
make_board(const char *name)
{
    if (strcmp(name, "l40s") == 0)
        make_l40s(0x61, NULL, l40s, 4);
    else if (strcmp(name, "l40s-2") == 0)
        make_l40s(0x62, "1\n", l40s, 4);
    else if (strcmp(name, "l40s-32") == 0)
        make_l40s(0x26, NULL, l40s_full, 32);
    else if (strcmp(name, "a100") == 0)
        make_a100();
    else if (strcmp(name, "s7150") == 0)
        make_s7150();
    else if (strcmp(name, "hd620") == 0)
        make_hd620();
    else
        return 0;
    return 1;
}

static void
make_cards(void)
{
    struct function f = { .class = "0x030200\n", .device = "0x25b6\n" };

    f.bus = 0x41;
    make_sriov_gpu(f, a2, 16);
    f.class = "0x030000\n";
    f.device = "0x13bd\n";
    f.bus = 0x84;
    make_gpu(f, m10);
    f.bus = 0x85;
    make_gpu(f, m10);
    f.domain = 0x10000;
    f.bus = 0x01;
    f.device = "0x1b38\n";
    make_gpu(f, p40);
}

static void
make_many(unsigned n, unsigned each)
{
    for (unsigned i = 0; i < n; i++) {
        struct function f = {
            .domain = 2 + (i >> 16),
            .bus = i >> 8 & 0xff,
            .slot = i >> 3 & 31,
            .number = i & 7,
            .class = "0x020000\n",
            .vendor = "0x8086\n",
            .device = "0x1572\n",
        };
        Path dir;
        char addr[32];

        if (i % each == 0) {
            f.class = "0x030000\n";
            f.device = "0x13bd\n";
            make_gpu(f, m10);
        } else {
            make_function(&f, dir, addr);
        }
    }
}

static int
write_once(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        die(path);
    return EXIT_SUCCESS;
}

static int
add_boards(char **names)
{
    if (chdir(*names) < 0)
        die(*names);
    while (*++names) {
        if (!make_board(*names)) {
            fprintf(stderr, "make-tree: no board '%s'\n", *names);
            return 2;
        }
    }
    return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    static const char *const dirs[] = {
        "sys/bus/pci/devices",
        "sys/bus/mdev/devices",
        "sys/class/mdev_bus",
        "sys/kernel/iommu_groups",
        "dev/vfio",
        "knobs",
        "driver/devices",
    };

    if (argc == 4 && strcmp(argv[1], "--write") == 0)
        return write_once(argv[2], argv[3]);
    if (argc >= 4 && strcmp(argv[1], "--add") == 0)
        return add_boards(argv + 2);
    if ((argc != 2 && argc != 4) || (argc == 4 && atoi(argv[3]) <= 0)) {
        fprintf(stderr, "usage: make-tree DIR [N K] | --add DIR BOARD... | --write FILE TEXT\n");
        return 2;
    }
    make_dir(argv[1]);
    if (chdir(argv[1]) < 0)
        die(argv[1]);
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
        make_dir(dirs[i]);
    put("dev/vfio", "vfio", "");
    if (argc == 4)
        make_many((unsigned) atoi(argv[2]), (unsigned) atoi(argv[3]));
    else
        make_cards();
    return EXIT_SUCCESS;
}
