/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* captures.c: see captures.h; one row per type, columns as in CaptureType */
#include "captures.h"

#include <stddef.h>

#define NVIDIA_3D(device, numa)                                                                  \
    {                                                                                            \
        "0x030200", "0x10de", device, "nvidia", numa                                             \
    }
#define NVIDIA_VGA(device, numa)                                                                 \
    {                                                                                            \
        "0x030000", "0x10de", device, "nvidia", numa                                             \
    }

/* A2, a 4 GB vGPU on a sibling */
static const CaptureType a2[] = {
    { "nvidia-742", "NVIDIA A2-1B", 4, 45, 1024, "5120x2880", 16, 0, 'B', false },
    { "nvidia-743", "NVIDIA A2-2B", 4, 45, 2048, "5120x2880", 8, 0, 'B', false },
    { "nvidia-744", "NVIDIA A2-1Q", 4, 60, 1024, "5120x2880", 16, 0, 'Q', false },
    { "nvidia-745", "NVIDIA A2-2Q", 4, 60, 2048, "7680x4320", 8, 0, 'Q', false },
    { "nvidia-746", "NVIDIA A2-4Q", 4, 60, 4096, "7680x4320", 4, 1, 'Q', false },
    { "nvidia-747", "NVIDIA A2-8Q", 4, 60, 8192, "7680x4320", 2, 0, 'Q', false },
    { "nvidia-748", "NVIDIA A2-16Q", 4, 60, 16384, "7680x4320", 1, 0, 'Q', false },
    { "nvidia-749", "NVIDIA A2-1A", 1, 60, 1024, "1280x1024", 16, 0, 'A', false },
    { "nvidia-750", "NVIDIA A2-2A", 1, 60, 2048, "1280x1024", 8, 0, 'A', false },
    { "nvidia-751", "NVIDIA A2-4A", 1, 60, 4096, "1280x1024", 4, 1, 'A', false },
    { "nvidia-752", "NVIDIA A2-8A", 1, 60, 8192, "1280x1024", 2, 0, 'A', false },
    { "nvidia-753", "NVIDIA A2-16A", 1, 60, 16384, "1280x1024", 1, 0, 'A', false },
    { "nvidia-754", "NVIDIA A2-4C", 1, 60, 4096, "4096x2400", 4, 1, 'C', false },
    { "nvidia-755", "NVIDIA A2-8C", 1, 60, 8192, "4096x2400", 2, 0, 'C', false },
    { "nvidia-756", "NVIDIA A2-16C", 1, 60, 16384, "4096x2400", 1, 0, 'C', false },
    { 0 },
};

/* A2, an 8 GB vGPU on a sibling */
static const CaptureType a2_after_8q[] = {
    { "nvidia-742", "NVIDIA A2-1B", 4, 45, 1024, "5120x2880", 16, 0, 'B', false },
    { "nvidia-743", "NVIDIA A2-2B", 4, 45, 2048, "5120x2880", 8, 0, 'B', false },
    { "nvidia-744", "NVIDIA A2-1Q", 4, 60, 1024, "5120x2880", 16, 0, 'Q', false },
    { "nvidia-745", "NVIDIA A2-2Q", 4, 60, 2048, "7680x4320", 8, 0, 'Q', false },
    { "nvidia-746", "NVIDIA A2-4Q", 4, 60, 4096, "7680x4320", 4, 0, 'Q', false },
    { "nvidia-747", "NVIDIA A2-8Q", 4, 60, 8192, "7680x4320", 2, 1, 'Q', false },
    { "nvidia-748", "NVIDIA A2-16Q", 4, 60, 16384, "7680x4320", 1, 0, 'Q', false },
    { "nvidia-749", "NVIDIA A2-1A", 1, 60, 1024, "1280x1024", 16, 0, 'A', false },
    { "nvidia-750", "NVIDIA A2-2A", 1, 60, 2048, "1280x1024", 8, 0, 'A', false },
    { "nvidia-751", "NVIDIA A2-4A", 1, 60, 4096, "1280x1024", 4, 0, 'A', false },
    { "nvidia-752", "NVIDIA A2-8A", 1, 60, 8192, "1280x1024", 2, 1, 'A', false },
    { "nvidia-753", "NVIDIA A2-16A", 1, 60, 16384, "1280x1024", 1, 0, 'A', false },
    { "nvidia-754", "NVIDIA A2-4C", 1, 60, 4096, "4096x2400", 4, 0, 'C', false },
    { "nvidia-755", "NVIDIA A2-8C", 1, 60, 8192, "4096x2400", 2, 1, 'C', false },
    { "nvidia-756", "NVIDIA A2-16C", 1, 60, 16384, "4096x2400", 1, 0, 'C', false },
    { 0 },
};

/* A10 */
static const CaptureType a10[] = {
    { "nvidia-588", "NVIDIA A10-1B", 0, 0, 0, NULL, 0, 1, 'B', false },
    { "nvidia-589", "NVIDIA A10-2B", 0, 0, 0, NULL, 0, 1, 'B', false },
    { "nvidia-590", "NVIDIA A10-1Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-591", "NVIDIA A10-2Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-592", "NVIDIA A10-3Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-593", "NVIDIA A10-4Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-594", "NVIDIA A10-6Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-595", "NVIDIA A10-8Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-596", "NVIDIA A10-12Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-597", "NVIDIA A10-24Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-598", "NVIDIA A10-1A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-599", "NVIDIA A10-2A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-600", "NVIDIA A10-3A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-601", "NVIDIA A10-4A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-602", "NVIDIA A10-6A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-603", "NVIDIA A10-8A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-604", "NVIDIA A10-12A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-605", "NVIDIA A10-24A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { 0 },
};

/* A40 */
static const CaptureType a40[] = {
    { "nvidia-555", "NVIDIA A40-1B", 4, 45, 1024, "5120x2880", 32, 1, 'B', false },
    { "nvidia-556", "NVIDIA A40-2B", 4, 45, 2048, "5120x2880", 24, 1, 'B', false },
    { "nvidia-557", "NVIDIA A40-1Q", 4, 60, 1024, "5120x2880", 32, 1, 'Q', false },
    { "nvidia-558", "NVIDIA A40-2Q", 4, 60, 2048, "7680x4320", 24, 1, 'Q', false },
    { "nvidia-559", "NVIDIA A40-3Q", 4, 60, 3072, "7680x4320", 16, 1, 'Q', false },
    { "nvidia-560", "NVIDIA A40-4Q", 4, 60, 4096, "7680x4320", 12, 1, 'Q', false },
    { "nvidia-561", "NVIDIA A40-6Q", 4, 60, 6144, "7680x4320", 8, 1, 'Q', false },
    { "nvidia-562", "NVIDIA A40-8Q", 4, 60, 8192, "7680x4320", 6, 1, 'Q', false },
    { "nvidia-563", "NVIDIA A40-12Q", 4, 60, 12288, "7680x4320", 4, 1, 'Q', false },
    { "nvidia-564", "NVIDIA A40-16Q", 4, 60, 16384, "7680x4320", 3, 1, 'Q', false },
    { "nvidia-565", "NVIDIA A40-24Q", 4, 60, 24576, "7680x4320", 2, 1, 'Q', false },
    { "nvidia-566", "NVIDIA A40-48Q", 4, 60, 49152, "7680x4320", 1, 1, 'Q', false },
    { "nvidia-567", "NVIDIA A40-1A", 1, 60, 1024, "1280x1024", 32, 1, 'A', false },
    { "nvidia-568", "NVIDIA A40-2A", 1, 60, 2048, "1280x1024", 24, 1, 'A', false },
    { "nvidia-569", "NVIDIA A40-3A", 1, 60, 3072, "1280x1024", 16, 1, 'A', false },
    { "nvidia-570", "NVIDIA A40-4A", 1, 60, 4096, "1280x1024", 12, 1, 'A', false },
    { "nvidia-571", "NVIDIA A40-6A", 1, 60, 6144, "1280x1024", 8, 1, 'A', false },
    { "nvidia-572", "NVIDIA A40-8A", 1, 60, 8192, "1280x1024", 6, 1, 'A', false },
    { "nvidia-573", "NVIDIA A40-12A", 1, 60, 12288, "1280x1024", 4, 1, 'A', false },
    { "nvidia-574", "NVIDIA A40-16A", 1, 60, 16384, "1280x1024", 3, 1, 'A', false },
    { "nvidia-575", "NVIDIA A40-24A", 1, 60, 24576, "1280x1024", 2, 1, 'A', false },
    { "nvidia-576", "NVIDIA A40-48A", 1, 60, 49152, "1280x1024", 1, 1, 'A', false },
    { 0 },
};

/* A100 in MIG mode, two 2g.10gb */
static const CaptureType a100[] = {
    { "nvidia-468", "GRID A100-4C", 1, 60, 4096, "4096x2160", 10, 0, 'C', false },
    { "nvidia-469", "GRID A100-5C", 1, 60, 5120, "4096x2160", 8, 0, 'C', false },
    { "nvidia-470", "GRID A100-8C", 1, 60, 8192, "4096x2160", 5, 0, 'C', false },
    { "nvidia-471", "GRID A100-10C", 1, 60, 10240, "4096x2160", 4, 0, 'C', false },
    { "nvidia-472", "GRID A100-20C", 1, 60, 20480, "4096x2160", 2, 0, 'C', false },
    { "nvidia-473", "GRID A100-40C", 1, 60, 40960, "4096x2160", 1, 0, 'C', false },
    { "nvidia-474", "GRID A100-1-5C", 1, 60, 5120, "4096x2160", 7, 0, 'C', true },
    { "nvidia-475", "GRID A100-2-10C", 1, 60, 10240, "4096x2160", 3, 1, 'C', true },
    { "nvidia-476", "GRID A100-3-20C", 1, 60, 20480, "4096x2160", 2, 0, 'C', true },
    { "nvidia-477", "GRID A100-4-20C", 1, 60, 20480, "4096x2160", 1, 0, 'C', true },
    { "nvidia-478", "GRID A100-7-40C", 1, 60, 40960, "4096x2160", 1, 0, 'C', true },
    { "nvidia-479", "GRID A100-1-5CME", 1, 60, 5120, "4096x2160", 1, 0, 'C', true },
    { 0 },
};

/* L4 */
static const CaptureType l4[] = {
    { "nvidia-908", "NVIDIA L4-1B", 0, 0, 0, NULL, 0, 1, 'B', false },
    { "nvidia-909", "NVIDIA L4-2B", 0, 0, 0, NULL, 0, 1, 'B', false },
    { "nvidia-910", "NVIDIA L4-1Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-911", "NVIDIA L4-2Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-912", "NVIDIA L4-3Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-913", "NVIDIA L4-4Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-914", "NVIDIA L4-6Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-915", "NVIDIA L4-8Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-916", "NVIDIA L4-12Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-917", "NVIDIA L4-24Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-918", "NVIDIA L4-1A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-919", "NVIDIA L4-2A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-920", "NVIDIA L4-3A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-921", "NVIDIA L4-4A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-922", "NVIDIA L4-6A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-923", "NVIDIA L4-8A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-924", "NVIDIA L4-12A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-925", "NVIDIA L4-24A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { 0 },
};

/* L40S */
static const CaptureType l40s[] = {
    { "nvidia-1145", "NVIDIA L40S-1B", 0, 0, 0, NULL, 0, 1, 'B', false },
    { "nvidia-1146", "NVIDIA L40S-2B", 0, 0, 0, NULL, 0, 1, 'B', false },
    { "nvidia-1147", "NVIDIA L40S-1Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-1148", "NVIDIA L40S-2Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-1149", "NVIDIA L40S-3Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-1150", "NVIDIA L40S-4Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-1151", "NVIDIA L40S-6Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-1152", "NVIDIA L40S-8Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-1153", "NVIDIA L40S-12Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-1154", "NVIDIA L40S-16Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-1155", "NVIDIA L40S-24Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-1156", "NVIDIA L40S-48Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-1157", "NVIDIA L40S-1A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-1158", "NVIDIA L40S-2A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-1159", "NVIDIA L40S-3A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-1160", "NVIDIA L40S-4A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-1161", "NVIDIA L40S-6A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-1162", "NVIDIA L40S-8A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-1163", "NVIDIA L40S-12A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-1164", "NVIDIA L40S-16A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-1165", "NVIDIA L40S-24A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-1166", "NVIDIA L40S-48A", 0, 0, 0, NULL, 0, 1, 'A', false },
    { "nvidia-2164", "NVIDIA L40S-3B", 0, 0, 0, NULL, 0, 1, 'B', false },
    { 0 },
};

/* H100 in MIG mode; the numbers of its types are made up */
static const CaptureType h100[] = {
    { "nvidia-9001", "NVIDIA H100-7-80C", 0, 0, 0, NULL, 1, 1, 'C', true },
    { "nvidia-9002", "NVIDIA H100-4-40C", 0, 0, 0, NULL, 0, 1, 'C', true },
    { "nvidia-9003", "NVIDIA H100-3-40C", 0, 0, 0, NULL, 0, 1, 'C', true },
    { "nvidia-9004", "NVIDIA H100-2-20C", 0, 0, 0, NULL, 0, 1, 'C', true },
    { "nvidia-9005", "NVIDIA H100-1-20C", 0, 0, 0, NULL, 0, 1, 'C', true },
    { "nvidia-9006", "NVIDIA H100-1-10C", 0, 0, 0, NULL, 0, 1, 'C', true },
    { "nvidia-9007", "NVIDIA H100-1-10CME", 0, 0, 0, NULL, 0, 1, 'C', true },
    { 0 },
};

/* H200 */
static const CaptureType h200[] = {
    { "nvidia-1428", "NVIDIA H200X-141C", 0, 0, 0, NULL, 0, 1, 'C', false },
    { "nvidia-1414", "NVIDIA H200X-1-18C", 0, 0, 0, NULL, 0, 1, 'C', true },
    { 0 },
};

/* M10 */
static const CaptureType m10[] = {
    { "nvidia-35", "GRID M10-0B", 2, 45, 512, "2560x1600", 16, 16, 'B', false },
    { "nvidia-36", "GRID M10-0Q", 2, 60, 512, "2560x1600", 16, 16, 'Q', false },
    { "nvidia-37", "GRID M10-1A", 1, 60, 1024, "1280x1024", 8, 8, 'A', false },
    { "nvidia-38", "GRID M10-1B", 4, 45, 1024, "5120x2880", 8, 8, 'B', false },
    { "nvidia-39", "GRID M10-1Q", 4, 60, 1024, "5120x2880", 8, 8, 'Q', false },
    { "nvidia-40", "GRID M10-2A", 1, 60, 2048, "1280x1024", 4, 4, 'A', false },
    { "nvidia-41", "GRID M10-2Q", 4, 60, 2048, "5120x2880", 4, 4, 'Q', false },
    { "nvidia-42", "GRID M10-4A", 1, 60, 4096, "1280x1024", 2, 2, 'A', false },
    { "nvidia-43", "GRID M10-4Q", 4, 60, 4096, "5120x2880", 2, 2, 'Q', false },
    { "nvidia-44", "GRID M10-8A", 1, 60, 8192, "1280x1024", 1, 1, 'A', false },
    { "nvidia-45", "GRID M10-8Q", 4, 60, 8192, "5120x2880", 1, 1, 'Q', false },
    { 0 },
};

/* M10, no descriptions */
static const CaptureType m10_bare[] = {
    { "nvidia-155", "GRID M10-2B", 0, 0, 0, NULL, 0, 4, 'B', false },
    { "nvidia-36", "GRID M10-0Q", 0, 0, 0, NULL, 0, 16, 'Q', false },
    { 0 },
};

/* M60 */
static const CaptureType m60[] = {
    { "nvidia-12", "GRID M60-0Q", 2, 60, 512, "2560x1600", 16, 16, 'Q', false },
    { "nvidia-15", "GRID M60-1Q", 4, 60, 1024, "5120x2880", 8, 8, 'Q', false },
    { "nvidia-18", "GRID M60-2Q", 4, 60, 2048, "5120x2880", 4, 4, 'Q', false },
    { "nvidia-20", "GRID M60-4Q", 4, 60, 4096, "5120x2880", 2, 2, 'Q', false },
    { "nvidia-22", "GRID M60-8Q", 4, 60, 8192, "5120x2880", 1, 1, 'Q', false },
    { "nvidia-11", "GRID M60-0B", 2, 45, 512, "2560x1600", 16, 16, 'B', false },
    { "nvidia-14", "GRID M60-1B", 4, 45, 1024, "5120x2880", 8, 8, 'B', false },
    { "nvidia-17", "GRID M60-2B", 4, 45, 2048, "5120x2880", 4, 4, 'B', false },
    { "nvidia-13", "GRID M60-1A", 1, 60, 1024, "1280x1024", 8, 8, 'A', false },
    { "nvidia-16", "GRID M60-2A", 1, 60, 2048, "1280x1024", 4, 4, 'A', false },
    { "nvidia-19", "GRID M60-4A", 1, 60, 4096, "1280x1024", 2, 2, 'A', false },
    { "nvidia-21", "GRID M60-8A", 1, 60, 8192, "1280x1024", 1, 1, 'A', false },
    { "nvidia-210", "GRID M60-2B4", 4, 45, 2048, "5120x2880", 4, 4, 'B', false },
    { "nvidia-238", "GRID M60-1B4", 4, 45, 1024, "5120x2880", 8, 8, 'B', false },
    { 0 },
};

/* P40 with four 1Q */
static const CaptureType p40[] = {
    { "nvidia-46", "GRID P40-1Q", 4, 60, 1024, "5120x2880", 24, 20, 'Q', false },
    { "nvidia-156", "GRID P40-2B", 4, 45, 2048, "5120x2880", 12, 0, 'B', false },
    { "nvidia-283", "GRID P40-4C", 1, 60, 4096, "4096x2160", 6, 0, 'C', false },
    { 0 },
};

/* P40, idle */
static const CaptureType p40_idle[] = {
    { "nvidia-62", "GRID P40-1B", 4, 45, 1024, "5120x2880", 24, 24, 'B', false },
    { "nvidia-46", "GRID P40-1Q", 4, 60, 1024, "5120x2880", 24, 24, 'Q', false },
    { "nvidia-47", "GRID P40-2Q", 4, 60, 2048, "7680x4320", 12, 12, 'Q', false },
    { "nvidia-48", "GRID P40-3Q", 4, 60, 3072, "7680x4320", 8, 8, 'Q', false },
    { "nvidia-49", "GRID P40-4Q", 4, 60, 4096, "7680x4320", 6, 6, 'Q', false },
    { "nvidia-50", "GRID P40-6Q", 4, 60, 6144, "7680x4320", 4, 4, 'Q', false },
    { "nvidia-51", "GRID P40-8Q", 4, 60, 8192, "7680x4320", 3, 3, 'Q', false },
    { "nvidia-52", "GRID P40-12Q", 4, 60, 12288, "7680x4320", 2, 2, 'Q', false },
    { "nvidia-53", "GRID P40-24Q", 4, 60, 24576, "7680x4320", 1, 1, 'Q', false },
    { "nvidia-54", "GRID P40-1A", 1, 60, 1024, "1280x1024", 24, 24, 'A', false },
    { "nvidia-55", "GRID P40-2A", 1, 60, 2048, "1280x1024", 12, 12, 'A', false },
    { "nvidia-56", "GRID P40-3A", 1, 60, 3072, "1280x1024", 8, 8, 'A', false },
    { "nvidia-57", "GRID P40-4A", 1, 60, 4096, "1280x1024", 6, 6, 'A', false },
    { "nvidia-58", "GRID P40-6A", 1, 60, 6144, "1280x1024", 4, 4, 'A', false },
    { "nvidia-59", "GRID P40-8A", 1, 60, 8192, "1280x1024", 3, 3, 'A', false },
    { "nvidia-60", "GRID P40-12A", 1, 60, 12288, "1280x1024", 2, 2, 'A', false },
    { "nvidia-61", "GRID P40-24A", 1, 60, 24576, "1280x1024", 1, 1, 'A', false },
    { "nvidia-156", "GRID P40-2B", 4, 45, 2048, "5120x2880", 12, 12, 'B', false },
    { "nvidia-215", "GRID P40-2B4", 4, 45, 2048, "5120x2880", 12, 12, 'B', false },
    { "nvidia-241", "GRID P40-1B4", 4, 45, 1024, "5120x2880", 24, 24, 'B', false },
    { 0 },
};

/* P100, full */
static const CaptureType p100[] = {
    { "nvidia-88", "GRID P100-1A", 1, 60, 1024, "1280x1024", 16, 0, 'A', false },
    { "nvidia-211", "GRID P100-2B4", 4, 45, 2048, "5120x2880", 8, 0, 'B', false },
    { "nvidia-86", "GRID P100-8Q", 4, 60, 8192, "7680x4320", 2, 0, 'Q', false },
    { "nvidia-84", "GRID P100-2Q", 4, 60, 2048, "7680x4320", 8, 0, 'Q', false },
    { "nvidia-294", "GRID P100-8C", 0, 0, 0, NULL, 0, 0, 'C', false },
    { "nvidia-92", "GRID P100-16A", 1, 60, 16384, "1280x1024", 1, 0, 'A', false },
    { "nvidia-244", "GRID P100-1B4", 4, 45, 1024, "5120x2880", 16, 0, 'B', false },
    { "nvidia-90", "GRID P100-4A", 1, 60, 4096, "1280x1024", 4, 0, 'A', false },
    { "nvidia-89", "GRID P100-2A", 1, 60, 2048, "1280x1024", 8, 0, 'A', false },
    { "nvidia-87", "GRID P100-16Q", 4, 60, 16384, "7680x4320", 1, 0, 'Q', false },
    { "nvidia-85", "GRID P100-4Q", 4, 60, 4096, "7680x4320", 4, 0, 'Q', false },
    { "nvidia-295", "GRID P100-16C", 0, 0, 0, NULL, 0, 0, 'C', false },
    { "nvidia-93", "GRID P100-1B", 4, 45, 1024, "5120x2880", 16, 0, 'B', false },
    { "nvidia-83", "GRID P100-1Q", 4, 60, 1024, "5120x2880", 16, 0, 'Q', false },
    { "nvidia-293", "GRID P100-4C", 0, 0, 0, NULL, 0, 0, 'C', false },
    { "nvidia-160", "GRID P100-2B", 4, 45, 2048, "5120x2880", 8, 0, 'B', false },
    { "nvidia-91", "GRID P100-8A", 1, 60, 8192, "1280x1024", 2, 0, 'A', false },
    { 0 },
};

/* T4; 319 to 321 were seen without their names */
static const CaptureType t4[] = {
    { "nvidia-222", "GRID T4-1B", 4, 45, 1024, "5120x2880", 16, 16, 'B', false },
    { "nvidia-223", "GRID T4-2B", 4, 45, 2048, "5120x2880", 8, 8, 'B', false },
    { "nvidia-224", "GRID T4-2B4", 4, 45, 2048, "5120x2880", 8, 8, 'B', false },
    { "nvidia-230", "GRID T4-1Q", 4, 60, 1024, "5120x2880", 16, 16, 'Q', false },
    { "nvidia-231", "GRID T4-2Q", 4, 60, 2048, "7680x4320", 8, 8, 'Q', false },
    { "nvidia-232", "GRID T4-4Q", 4, 60, 4096, "7680x4320", 4, 4, 'Q', false },
    { "nvidia-233", "GRID T4-8Q", 4, 60, 8192, "7680x4320", 2, 2, 'Q', false },
    { "nvidia-234", "GRID T4-16Q", 4, 60, 16384, "7680x4320", 1, 1, 'Q', false },
    { "nvidia-225", "GRID T4-1A", 1, 60, 1024, "1280x1024", 16, 16, 'A', false },
    { "nvidia-226", "GRID T4-2A", 1, 60, 2048, "1280x1024", 8, 8, 'A', false },
    { "nvidia-227", "GRID T4-4A", 1, 60, 4096, "1280x1024", 4, 4, 'A', false },
    { "nvidia-228", "GRID T4-8A", 1, 60, 8192, "1280x1024", 2, 2, 'A', false },
    { "nvidia-229", "GRID T4-16A", 1, 60, 16384, "1280x1024", 1, 1, 'A', false },
    { "nvidia-252", "GRID T4-1B4", 4, 45, 1024, "5120x2880", 16, 16, 'B', false },
    { "nvidia-319", NULL, 0, 0, 0, NULL, 0, 1, 0, false },
    { "nvidia-320", NULL, 0, 0, 0, NULL, 0, 1, 0, false },
    { "nvidia-321", NULL, 0, 0, 0, NULL, 0, 1, 0, false },
    { 0 },
};

/* V100D */
static const CaptureType v100d[] = {
    { "nvidia-180", "GRID V100D-1Q", 4, 60, 1024, "5120x2880", 32, 32, 'Q', false },
    { "nvidia-181", "GRID V100D-2Q", 4, 60, 2048, "7680x4320", 16, 16, 'Q', false },
    { "nvidia-182", "GRID V100D-4Q", 4, 60, 4096, "7680x4320", 8, 8, 'Q', false },
    { "nvidia-183", "GRID V100D-8Q", 4, 60, 8192, "7680x4320", 4, 4, 'Q', false },
    { "nvidia-184", "GRID V100D-16Q", 4, 60, 16384, "7680x4320", 2, 2, 'Q', false },
    { "nvidia-185", "GRID V100D-32Q", 4, 60, 32768, "7680x4320", 1, 1, 'Q', false },
    { "nvidia-186", "GRID V100D-1A", 1, 60, 1024, "1280x1024", 32, 32, 'A', false },
    { "nvidia-187", "GRID V100D-2A", 1, 60, 2048, "1280x1024", 16, 16, 'A', false },
    { "nvidia-188", "GRID V100D-4A", 1, 60, 4096, "1280x1024", 8, 8, 'A', false },
    { "nvidia-189", "GRID V100D-8A", 1, 60, 8192, "1280x1024", 4, 4, 'A', false },
    { "nvidia-190", "GRID V100D-16A", 1, 60, 16384, "1280x1024", 2, 2, 'A', false },
    { "nvidia-191", "GRID V100D-32A", 1, 60, 32768, "1280x1024", 1, 1, 'A', false },
    { "nvidia-192", "GRID V100D-1B", 4, 45, 1024, "5120x2880", 32, 32, 'B', false },
    { "nvidia-193", "GRID V100D-2B", 4, 45, 2048, "5120x2880", 16, 16, 'B', false },
    { "nvidia-218", "GRID V100D-2B4", 4, 45, 2048, "5120x2880", 16, 16, 'B', false },
    { "nvidia-249", "GRID V100D-1B4", 4, 45, 1024, "5120x2880", 32, 32, 'B', false },
    { "nvidia-311", "GRID V100D-4C", 0, 0, 0, NULL, 0, 8, 'C', false },
    { "nvidia-312", "GRID V100D-8C", 0, 0, 0, NULL, 0, 4, 'C', false },
    { "nvidia-313", "GRID V100D-16C", 1, 60, 16384, "4096x2160", 2, 2, 'C', false },
    { "nvidia-314", "GRID V100D-32C", 0, 0, 0, NULL, 0, 1, 'C', false },
    { 0 },
};

/* RTX Pro 6000 Blackwell */
static const CaptureType rtxpro6000[] = {
    { "nvidia-1519", "NVIDIA RTX Pro 6000 Blackwell DC-3Q", 0, 0, 0, NULL, 0, 1, 'Q', false },
    { "nvidia-1518", "NVIDIA RTX Pro 6000 Blackwell DC-2B", 0, 0, 0, NULL, 0, 1, 'B', false },
    { "nvidia-1550", "NVIDIA RTX Pro 6000 Blackwell DC-1-2Q", 0, 0, 0, NULL, 0, 1, 'Q', true },
    { "nvidia-1561", "NVIDIA RTX Pro 6000 Blackwell DC-1-24Q", 0, 0, 0, NULL, 0, 1, 'Q', true },
    { 0 },
};

const Capture captures[] = {
    { "A2, a 4 GB vGPU on a sibling", NVIDIA_3D("0x25b6", "0"), "0000:08:00.0",
      VGPU_INTERFACE_MDEV, "0000:08:00.4", 16, 16, a2 },
    { "A2, an 8 GB vGPU on a sibling", NVIDIA_3D("0x25b6", "0"), "0000:08:00.0",
      VGPU_INTERFACE_MDEV, "0000:08:00.4", 16, 16, a2_after_8q },
    { "A10", NVIDIA_3D("0x2236", "0"), "0000:41:00.0", VGPU_INTERFACE_VENDOR_VFIO, "0000:41:00.4",
      32, 32, a10, 24576 },
    { "A40", NVIDIA_3D("0x2235", "0"), "0000:41:00.0", VGPU_INTERFACE_MDEV, "0000:41:00.4", 32,
      32, a40 },
    { "A100 in MIG mode, two 2g.10gb", NVIDIA_3D("0x20f1", "0"), "0000:36:00.0",
      VGPU_INTERFACE_MDEV, "0000:36:00.4", 16, 16, a100 },
    { "L4", NVIDIA_3D("0x27b8", "0"), "0000:41:00.0", VGPU_INTERFACE_VENDOR_VFIO, "0000:41:00.4",
      32, 32, l4, 24576 },
    { "L40S", NVIDIA_3D("0x26b9", "0"), "0000:26:00.0", VGPU_INTERFACE_VENDOR_VFIO,
      "0000:26:00.4", 32, 32, l40s, 49152 },
    { "H100 in MIG mode", NVIDIA_3D("0x2331", "0"), "0000:9b:00.0", VGPU_INTERFACE_VENDOR_VFIO,
      "0000:9b:00.4", 20, 7, h100 },
    { "H200", NVIDIA_3D("0x2335", "0"), "0000:41:00.0", VGPU_INTERFACE_VENDOR_VFIO,
      "0000:41:00.4", 32, 4, h200, 144384 },
    { "M10, GPU 0 of its board", NVIDIA_VGA("0x13bd", "1"), "0000:84:00.0", VGPU_INTERFACE_MDEV,
      NULL, 0, 0, m10 },
    { "M10, GPU 1 of its board", NVIDIA_VGA("0x13bd", "1"), "0000:85:00.0", VGPU_INTERFACE_MDEV,
      NULL, 0, 0, m10 },
    { "M10, GPU 2 of its board", NVIDIA_VGA("0x13bd", "1"), "0000:86:00.0", VGPU_INTERFACE_MDEV,
      NULL, 0, 0, m10 },
    { "M10, GPU 3 of its board", NVIDIA_VGA("0x13bd", "1"), "0000:87:00.0", VGPU_INTERFACE_MDEV,
      NULL, 0, 0, m10 },
    { "M10, no descriptions", NVIDIA_VGA("0x13bd", "0"), "0000:00:03.0", VGPU_INTERFACE_MDEV,
      NULL, 0, 0, m10_bare },
    { "M60", NVIDIA_VGA("0x13f2", "8"), "0000:06:00.0", VGPU_INTERFACE_MDEV, NULL, 0, 0, m60 },
    { "P40 with four 1Q", NVIDIA_3D("0x1b38", "0"), "0000:06:00.0", VGPU_INTERFACE_MDEV, NULL, 0,
      0, p40 },
    { "P40, idle", NVIDIA_3D("0x1b38", "-1"), "10000:06:00.0", VGPU_INTERFACE_MDEV, NULL, 0, 0,
      p40_idle },
    { "P100, full", NVIDIA_3D("0x15f8", "0"), "0000:3b:00.0", VGPU_INTERFACE_MDEV, NULL, 0, 0,
      p100 },
    { "T4", NVIDIA_3D("0x1eb8", "0"), "0000:c1:00.0", VGPU_INTERFACE_MDEV, NULL, 0, 0, t4 },
    { "V100D", NVIDIA_3D("0x1db6", "0"), "0000:47:00.0", VGPU_INTERFACE_MDEV, NULL, 0, 0, v100d },
    { "RTX Pro 6000 Blackwell", NVIDIA_3D("0x2bb5", "0"), "0001:c8:00.0",
      VGPU_INTERFACE_VENDOR_VFIO, "0001:c8:00.2", 48, 4, rtxpro6000, 3072 },
    { 0 },
};
