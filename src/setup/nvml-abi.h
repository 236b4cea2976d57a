/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nvml-abi.h: the few functions of NVIDIA's management library that are used, declared by hand
 *
 * Names, values and layouts are facts of NVML's documented ABI (docs.nvidia.com, "NVML API
 * Reference Guide"). Handles are pointers that only the library can read. */
#pragma once

enum { /* nvmlReturn_t */
       NVML_SUCCESS = 0,
       NVML_ERROR_UNINITIALIZED = 1,
       NVML_ERROR_INVALID_ARGUMENT = 2,
       NVML_ERROR_NOT_SUPPORTED = 3,
       NVML_ERROR_NO_PERMISSION = 4,
       NVML_ERROR_NOT_FOUND = 6,
       NVML_ERROR_INSUFFICIENT_SIZE = 7,
       NVML_ERROR_DRIVER_NOT_LOADED = 9,
       NVML_ERROR_LIBRARY_NOT_FOUND = 12,
       NVML_ERROR_FUNCTION_NOT_FOUND = 13,
       NVML_ERROR_GPU_IS_LOST = 15,
       NVML_ERROR_RESET_REQUIRED = 16,
       NVML_ERROR_LIB_RM_VERSION_MISMATCH = 18,
       NVML_ERROR_IN_USE = 19,
       NVML_ERROR_INSUFFICIENT_RESOURCES = 23,
       NVML_ERROR_ARGUMENT_VERSION_MISMATCH = 25,
       NVML_ERROR_UNKNOWN = 999,
};

#define NVML_TEXT_LEN 80         /* enough for every UUID of a vGPU and version */
#define NVML_UUID_LEN 96         /* of devices: NVML_DEVICE_UUID_V2_BUFFER_SIZE */
#define NVML_NAME_LEN 64         /* of vGPU types */
#define NVML_NO_GI_PROFILE (~0u) /* of a vGPU type that is not MIG-backed */
#define NVML_NO_GI (~0u)         /* of a vGPU that is on none */
#define NVML_VM_ID_UUID 1        /* the kind of VM id that KVM hosts have */
#define NVML_ENGINE_GRAPHICS 1   /* of the scheduler */
#define NVML_VALUE_UINT 1        /* kind of a sample's values */
#define NVML_MODE_MIXED 0        /* of places: NVML_VGPU_PGPU_HETEROGENEOUS_MODE */
#define NVML_LICENSED 5          /* state of a licence */
#define NVML_EXPIRY_VALID 2      /* of a licence: it has a date */
#define NVML_EXPIRY_PERMANENT 4
#define NVML_TEMPERATURE_GPU 0 /* the sensor */
#define NVML_ECC_CORRECTED 0
#define NVML_ECC_UNCORRECTED 1
#define NVML_ECC_AGGREGATE 1 /* in the GPU's life, not since the driver was loaded */

enum { /* adaptive round robin: our "strict" */
       NVML_ARR_DEFAULT = 0,
       NVML_ARR_DISABLE = 1,
       NVML_ARR_ENABLE = 2,
};

/* The `version` member of a versioned structure. */
#define NVML_VERSION(type, n) ((unsigned int) sizeof(type) | ((unsigned int) (n) << 24))

typedef struct {
    char bus_id_legacy[16];
    unsigned int domain, bus, device, device_id, subsystem_id;
    char bus_id[32];
} NvmlPciInfo;

typedef struct { /* version 2 */
    unsigned int version, id, p2p, slices, instances, multiprocessors, copy_engines, decoders,
        encoders, jpeg, ofa;
    unsigned long long memory_mib;
    char name[96];
} NvmlGiProfileInfo;

typedef struct {
    unsigned int start, size;
} NvmlPlacement;

typedef struct {
    void *device;
    unsigned int id, profile;
    NvmlPlacement placement;
} NvmlGiInfo;

typedef struct {
    unsigned int id, slices, instances, multiprocessors, copy_engines, decoders, encoders, jpeg,
        ofa;
} NvmlCiProfileInfo;

typedef struct {
    void *device, *instance;
    unsigned int id, profile;
    NvmlPlacement placement;
} NvmlCiInfo;

typedef struct { /* version 1 */
    unsigned int version, mode;
} NvmlMixedMode;

typedef struct { /* version 1 */
    unsigned int version, type, max;
} NvmlMaxPerGi;

/* Slots at which vGPUs of a type can begin (nvmlVgpuPlacementList_v2_t). The structure of version 1 is
 * the same without the mode: then the places are those of mixed sizes, too. */
typedef struct {
    unsigned int version, size, count;
    unsigned int *slots;
    unsigned int mode;
} NvmlPlaces;

typedef struct {
    unsigned int version, size, count;
    unsigned int *slots;
} NvmlPlaces1;

typedef struct { /* version 1 */
    unsigned int version, count;
    unsigned int *vgpus;
} NvmlGiVgpus;

typedef union {
    double floating;
    unsigned int number;
    unsigned long long large;
} NvmlValue;

typedef struct {
    unsigned int vgpu;
    unsigned long long time;
    NvmlValue sm, memory, encoder, decoder;
} NvmlSample;

typedef struct {
    unsigned long long time;
    unsigned int vgpu;
    NvmlValue sm, memory, encoder, decoder, jpeg, ofa;
} NvmlUtilization;

typedef struct { /* version 1 */
    unsigned int version, kind, count;
    unsigned long long since;
    NvmlUtilization *list;
} NvmlUtilizations;

typedef struct {
    unsigned char licensed;
    struct {
        unsigned int year;
        unsigned short month, day, hour, min, sec;
        unsigned char status;
    } expiry;
    unsigned int state;
} NvmlLicense;

typedef struct {
    unsigned long long total, free, used;
} NvmlMemory;

typedef struct {
    unsigned int gpu, memory; /* percent */
} NvmlRates;

typedef struct {
    unsigned int policies[3], max_slice, min_slice, arr, max_frequency, min_frequency,
        max_average, min_average;
} NvmlSchedulerCaps;

typedef union {
    struct {
        unsigned int average, slice;
    } arr;
    unsigned int slice; /* ns */
} NvmlSchedulerParams;

typedef union {
    struct {
        unsigned int average, frequency;
    } arr;
    unsigned int slice; /* ns */
} NvmlSchedulerSetParams;

typedef struct {
    unsigned int policy, arr;
    NvmlSchedulerParams params;
} NvmlSchedulerGet;

typedef struct {
    unsigned int policy, arr;
    NvmlSchedulerSetParams params;
} NvmlSchedulerSet;

typedef struct { /* of one GPU instance, version 1 */
    unsigned int version, engine, policy, arr;
    NvmlSchedulerParams params;
} NvmlGiSchedulerGet;

typedef struct { /* of one GPU instance, version 1 */
    unsigned int version, engine, policy, arr;
    NvmlSchedulerSetParams params;
} NvmlGiSchedulerSet;

typedef struct { /* the functions called _v2: no version member, always adaptive round robin */
    unsigned int engine, policy, average, slice;
} NvmlSchedulerGet2;

typedef struct {
    unsigned int engine, policy, average, frequency;
} NvmlSchedulerSet2;

/* F(name, arguments) for every function that returns a code. */
#define NVML_FUNCTIONS(F)                                                                        \
    F(nvmlInit_v2, (void) )                                                                      \
    F(nvmlShutdown, (void) )                                                                     \
    F(nvmlDeviceGetCount_v2, (unsigned int *count))                                              \
    F(nvmlDeviceGetHandleByIndex_v2, (unsigned int index, void **device))                        \
    F(nvmlDeviceGetHandleByPciBusId_v2, (const char *address, void **device))                    \
    F(nvmlDeviceGetPciInfo_v3, (void *device, NvmlPciInfo *info))                                \
    F(nvmlSystemGetDriverVersion, (char *text, unsigned int size))                               \
    F(nvmlDeviceGetTemperature, (void *device, unsigned int sensor, unsigned int *celsius))      \
    F(nvmlDeviceGetPowerUsage, (void *device, unsigned int *milliwatts))                         \
    F(nvmlDeviceGetUtilizationRates, (void *device, NvmlRates *rates))                           \
    F(nvmlDeviceGetMemoryInfo, (void *device, NvmlMemory *memory))                               \
    F(nvmlDeviceGetTotalEccErrors,                                                               \
      (void *device, unsigned int kind, unsigned int counter, unsigned long long *count))        \
    F(nvmlDeviceGetRemappedRows,                                                                 \
      (void *device, unsigned int *corrected, unsigned int *uncorrected, unsigned int *pending,  \
       unsigned int *failed))                                                                    \
    F(nvmlDeviceGetRetiredPagesPendingStatus, (void *device, unsigned int *pending))             \
    F(nvmlDeviceGetMigMode, (void *device, unsigned int *current, unsigned int *pending))        \
    F(nvmlDeviceSetMigMode, (void *device, unsigned int mode, int *activation))                  \
    F(nvmlDeviceGetVgpuHeterogeneousMode, (void *device, NvmlMixedMode *mode))                   \
    F(nvmlDeviceSetVgpuHeterogeneousMode, (void *device, const NvmlMixedMode *mode))             \
    F(nvmlDeviceGetGpuInstanceProfileInfoV,                                                      \
      (void *device, unsigned int kind, NvmlGiProfileInfo *info))                                \
    F(nvmlDeviceGetGpuInstanceRemainingCapacity,                                                 \
      (void *device, unsigned int profile, unsigned int *count))                                 \
    F(nvmlDeviceGetGpuInstances,                                                                 \
      (void *device, unsigned int profile, void **instances, unsigned int *count))               \
    F(nvmlDeviceGetGpuInstanceById, (void *device, unsigned int id, void **instance))            \
    F(nvmlGpuInstanceGetInfo, (void *instance, NvmlGiInfo *info))                                \
    F(nvmlDeviceCreateGpuInstance, (void *device, unsigned int profile, void **instance))        \
    F(nvmlDeviceCreateGpuInstanceWithPlacement,                                                  \
      (void *device, unsigned int profile, const NvmlPlacement *placement, void **instance))     \
    F(nvmlGpuInstanceDestroy, (void *instance))                                                  \
    F(nvmlGpuInstanceGetActiveVgpus, (void *instance, NvmlGiVgpus *vgpus))                       \
    F(nvmlGpuInstanceGetComputeInstanceProfileInfo,                                              \
      (void *instance, unsigned int kind, unsigned int engines, NvmlCiProfileInfo *info))        \
    F(nvmlGpuInstanceGetComputeInstances,                                                        \
      (void *instance, unsigned int profile, void **list, unsigned int *count))                  \
    F(nvmlGpuInstanceCreateComputeInstance,                                                      \
      (void *instance, unsigned int profile, void **compute))                                    \
    F(nvmlComputeInstanceDestroy, (void *compute))                                               \
    F(nvmlComputeInstanceGetInfo_v2, (void *compute, NvmlCiInfo *info))                          \
    F(nvmlDeviceGetMaxMigDeviceCount, (void *device, unsigned int *count))                       \
    F(nvmlDeviceGetMigDeviceHandleByIndex, (void *device, unsigned int index, void **mig))       \
    F(nvmlDeviceGetGpuInstanceId, (void *mig, unsigned int *id))                                 \
    F(nvmlDeviceGetComputeInstanceId, (void *mig, unsigned int *id))                             \
    F(nvmlDeviceGetUUID, (void *device, char *text, unsigned int size))                          \
    F(nvmlDeviceGetVgpuSchedulerCapabilities, (void *device, NvmlSchedulerCaps *caps))           \
    F(nvmlDeviceGetVgpuSchedulerState, (void *device, NvmlSchedulerGet *state))                  \
    F(nvmlDeviceSetVgpuSchedulerState, (void *device, NvmlSchedulerSet *state))                  \
    F(nvmlDeviceGetVgpuSchedulerState_v2, (void *device, NvmlSchedulerGet2 *state))              \
    F(nvmlDeviceSetVgpuSchedulerState_v2, (void *device, NvmlSchedulerSet2 *state))              \
    F(nvmlGpuInstanceGetVgpuSchedulerState, (void *instance, NvmlGiSchedulerGet *state))         \
    F(nvmlGpuInstanceSetVgpuSchedulerState, (void *instance, NvmlGiSchedulerSet *state))         \
    F(nvmlGpuInstanceGetVgpuSchedulerState_v2, (void *instance, NvmlSchedulerGet2 *state))       \
    F(nvmlGpuInstanceSetVgpuSchedulerState_v2, (void *instance, NvmlSchedulerSet2 *state))       \
    F(nvmlDeviceGetSupportedVgpus, (void *device, unsigned int *count, unsigned int *types))     \
    F(nvmlVgpuTypeGetClass, (unsigned int type, char *text, unsigned int *size))                 \
    F(nvmlVgpuTypeGetName, (unsigned int type, char *text, unsigned int *size))                  \
    F(nvmlVgpuTypeGetLicense, (unsigned int type, char *text, unsigned int size))                \
    F(nvmlVgpuTypeGetFramebufferSize, (unsigned int type, unsigned long long *bytes))            \
    F(nvmlVgpuTypeGetNumDisplayHeads, (unsigned int type, unsigned int *heads))                  \
    F(nvmlVgpuTypeGetResolution,                                                                 \
      (unsigned int type, unsigned int display, unsigned int *width, unsigned int *height))      \
    F(nvmlVgpuTypeGetFrameRateLimit, (unsigned int type, unsigned int *limit))                   \
    F(nvmlVgpuTypeGetMaxInstances, (void *device, unsigned int type, unsigned int *count))       \
    F(nvmlVgpuTypeGetMaxInstancesPerVm, (unsigned int type, unsigned int *count))                \
    F(nvmlVgpuTypeGetMaxInstancesPerGpuInstance, (NvmlMaxPerGi * max))                           \
    F(nvmlDeviceGetVgpuTypeSupportedPlacements,                                                  \
      (void *device, unsigned int type, NvmlPlaces *places))                                     \
    F(nvmlVgpuTypeGetGpuInstanceProfileId, (unsigned int type, unsigned int *profile))           \
    F(nvmlDeviceGetActiveVgpus, (void *device, unsigned int *count, unsigned int *vgpus))        \
    F(nvmlVgpuInstanceGetVmID, (unsigned int vgpu, char *text, unsigned int size, int *kind))    \
    F(nvmlVgpuInstanceGetMdevUUID, (unsigned int vgpu, char *text, unsigned int size))           \
    F(nvmlVgpuInstanceGetVmDriverVersion, (unsigned int vgpu, char *text, unsigned int size))    \
    F(nvmlVgpuInstanceGetType, (unsigned int vgpu, unsigned int *type))                          \
    F(nvmlVgpuInstanceGetGpuInstanceId, (unsigned int vgpu, unsigned int *instance))             \
    F(nvmlVgpuInstanceGetFbUsage, (unsigned int vgpu, unsigned long long *bytes))                \
    F(nvmlVgpuInstanceGetLicenseInfo_v2, (unsigned int vgpu, NvmlLicense *license))              \
    F(nvmlDeviceGetVgpuInstancesUtilizationInfo, (void *device, NvmlUtilizations *info))         \
    F(nvmlDeviceGetVgpuUtilization, (void *device, unsigned long long since, int *kind,          \
                                     unsigned int *count, NvmlSample *samples))
