// The GenTL 1.6 C interface: names, values and prototypes that a producer exports and a consumer loads.
#pragma once

#include <cstddef>
#include <cstdint>

using GC_ERROR = int32_t;
using bool8_t = uint8_t;

using TL_HANDLE = void*;
using IF_HANDLE = void*;
using DEV_HANDLE = void*;
using DS_HANDLE = void*;
using PORT_HANDLE = void*;
using BUFFER_HANDLE = void*;
using EVENT_HANDLE = void*;
using EVENTSRC_HANDLE = void*;

constexpr void* GENTL_INVALID_HANDLE = nullptr;
constexpr uint64_t GENTL_INFINITE = ~uint64_t{0};

enum : GC_ERROR {
  GC_ERR_SUCCESS = 0, GC_ERR_ERROR = -1001, GC_ERR_NOT_INITIALIZED = -1002, GC_ERR_NOT_IMPLEMENTED = -1003,
  GC_ERR_RESOURCE_IN_USE = -1004, GC_ERR_ACCESS_DENIED = -1005, GC_ERR_INVALID_HANDLE = -1006,
  GC_ERR_INVALID_ID = -1007, GC_ERR_NO_DATA = -1008, GC_ERR_INVALID_PARAMETER = -1009, GC_ERR_IO = -1010,
  GC_ERR_TIMEOUT = -1011, GC_ERR_ABORT = -1012, GC_ERR_INVALID_BUFFER = -1013, GC_ERR_NOT_AVAILABLE = -1014,
  GC_ERR_INVALID_ADDRESS = -1015, GC_ERR_BUFFER_TOO_SMALL = -1016, GC_ERR_INVALID_INDEX = -1017,
  GC_ERR_PARSING_CHUNK_DATA = -1018, GC_ERR_INVALID_VALUE = -1019, GC_ERR_RESOURCE_EXHAUSTED = -1020,
  GC_ERR_OUT_OF_MEMORY = -1021, GC_ERR_BUSY = -1022, GC_ERR_AMBIGUOUS = -1023
};

using INFO_DATATYPE = int32_t;
enum : INFO_DATATYPE {
  INFO_DATATYPE_UNKNOWN = 0, INFO_DATATYPE_STRING = 1, INFO_DATATYPE_STRINGLIST = 2, INFO_DATATYPE_INT16 = 3,
  INFO_DATATYPE_UINT16 = 4, INFO_DATATYPE_INT32 = 5, INFO_DATATYPE_UINT32 = 6, INFO_DATATYPE_INT64 = 7,
  INFO_DATATYPE_UINT64 = 8, INFO_DATATYPE_FLOAT64 = 9, INFO_DATATYPE_PTR = 10, INFO_DATATYPE_BOOL8 = 11,
  INFO_DATATYPE_SIZET = 12, INFO_DATATYPE_BUFFER = 13, INFO_DATATYPE_PTRDIFF = 14
};

using TL_INFO_CMD = int32_t;
enum : TL_INFO_CMD {
  TL_INFO_ID = 0, TL_INFO_VENDOR = 1, TL_INFO_MODEL = 2, TL_INFO_VERSION = 3, TL_INFO_TLTYPE = 4, TL_INFO_NAME = 5,
  TL_INFO_PATHNAME = 6, TL_INFO_DISPLAYNAME = 7, TL_INFO_CHAR_ENCODING = 8, TL_INFO_GENTL_VER_MAJOR = 9,
  TL_INFO_GENTL_VER_MINOR = 10
};
enum : int32_t { TL_CHAR_ENCODING_ASCII = 0, TL_CHAR_ENCODING_UTF8 = 1 };

using INTERFACE_INFO_CMD = int32_t;
enum : INTERFACE_INFO_CMD { INTERFACE_INFO_ID = 0, INTERFACE_INFO_DISPLAYNAME = 1, INTERFACE_INFO_TLTYPE = 2 };

using DEVICE_INFO_CMD = int32_t;
enum : DEVICE_INFO_CMD {
  DEVICE_INFO_ID = 0, DEVICE_INFO_VENDOR = 1, DEVICE_INFO_MODEL = 2, DEVICE_INFO_TLTYPE = 3,
  DEVICE_INFO_DISPLAYNAME = 4, DEVICE_INFO_ACCESS_STATUS = 5, DEVICE_INFO_USER_DEFINED_NAME = 6,
  DEVICE_INFO_SERIAL_NUMBER = 7, DEVICE_INFO_VERSION = 8, DEVICE_INFO_TIMESTAMP_FREQUENCY = 9
};

using DEVICE_ACCESS_FLAGS = int32_t;
enum : DEVICE_ACCESS_FLAGS {
  DEVICE_ACCESS_UNKNOWN = 0, DEVICE_ACCESS_NONE = 1, DEVICE_ACCESS_READONLY = 2, DEVICE_ACCESS_CONTROL = 3,
  DEVICE_ACCESS_EXCLUSIVE = 4
};
enum : int32_t {
  DEVICE_ACCESS_STATUS_UNKNOWN = 0, DEVICE_ACCESS_STATUS_READWRITE = 1, DEVICE_ACCESS_STATUS_READONLY = 2,
  DEVICE_ACCESS_STATUS_NOACCESS = 3, DEVICE_ACCESS_STATUS_BUSY = 4, DEVICE_ACCESS_STATUS_OPEN_READWRITE = 5,
  DEVICE_ACCESS_STATUS_OPEN_READONLY = 6
};

using BUFFER_INFO_CMD = int32_t;
enum : BUFFER_INFO_CMD {
  BUFFER_INFO_BASE = 0, BUFFER_INFO_SIZE = 1, BUFFER_INFO_USER_PTR = 2, BUFFER_INFO_TIMESTAMP = 3,
  BUFFER_INFO_NEW_DATA = 4, BUFFER_INFO_IS_QUEUED = 5, BUFFER_INFO_IS_ACQUIRING = 6, BUFFER_INFO_IS_INCOMPLETE = 7,
  BUFFER_INFO_TLTYPE = 8, BUFFER_INFO_SIZE_FILLED = 9, BUFFER_INFO_WIDTH = 10, BUFFER_INFO_HEIGHT = 11,
  BUFFER_INFO_XOFFSET = 12, BUFFER_INFO_YOFFSET = 13, BUFFER_INFO_XPADDING = 14, BUFFER_INFO_YPADDING = 15,
  BUFFER_INFO_FRAMEID = 16, BUFFER_INFO_IMAGEPRESENT = 17, BUFFER_INFO_IMAGEOFFSET = 18,
  BUFFER_INFO_PAYLOADTYPE = 19, BUFFER_INFO_PIXELFORMAT = 20, BUFFER_INFO_PIXELFORMAT_NAMESPACE = 21,
  BUFFER_INFO_DELIVERED_IMAGEHEIGHT = 22, BUFFER_INFO_DELIVERED_CHUNKPAYLOADSIZE = 23,
  BUFFER_INFO_CHUNKLAYOUTID = 24, BUFFER_INFO_FILENAME = 25, BUFFER_INFO_PIXEL_ENDIANNESS = 26,
  BUFFER_INFO_DATA_SIZE = 27, BUFFER_INFO_TIMESTAMP_NS = 28, BUFFER_INFO_DATA_LARGER_THAN_BUFFER = 29,
  BUFFER_INFO_CONTAINS_CHUNKDATA = 30, BUFFER_INFO_IS_COMPOSITE = 31
};
enum : uint64_t { PAYLOAD_TYPE_IMAGE = 1, PIXELFORMAT_NAMESPACE_PFNC_32BIT = 4, PIXELFORMAT_MONO8 = 0x01080001 };
enum : int32_t { PIXELENDIANNESS_LITTLE = 1 };

using STREAM_INFO_CMD = int32_t;
enum : STREAM_INFO_CMD {
  STREAM_INFO_ID = 0, STREAM_INFO_NUM_DELIVERED = 1, STREAM_INFO_NUM_UNDERRUN = 2, STREAM_INFO_NUM_ANNOUNCED = 3,
  STREAM_INFO_NUM_QUEUED = 4, STREAM_INFO_NUM_AWAIT_DELIVERY = 5, STREAM_INFO_NUM_STARTED = 6,
  STREAM_INFO_PAYLOAD_SIZE = 7, STREAM_INFO_IS_GRABBING = 8, STREAM_INFO_DEFINES_PAYLOADSIZE = 9,
  STREAM_INFO_TLTYPE = 10, STREAM_INFO_NUM_CHUNKS_MAX = 11, STREAM_INFO_BUF_ANNOUNCE_MIN = 12,
  STREAM_INFO_BUF_ALIGNMENT = 13, STREAM_INFO_FLOW_TABLE = 14, STREAM_INFO_GENDC_PREFETCH_DESCRIPTOR = 15
};

using ACQ_QUEUE_TYPE = int32_t;
enum : ACQ_QUEUE_TYPE {
  ACQ_QUEUE_INPUT_TO_OUTPUT = 0, ACQ_QUEUE_OUTPUT_DISCARD = 1, ACQ_QUEUE_ALL_TO_INPUT = 2,
  ACQ_QUEUE_UNQUEUED_TO_INPUT = 3, ACQ_QUEUE_ALL_DISCARD = 4
};
using ACQ_START_FLAGS = int32_t;
enum : ACQ_START_FLAGS { ACQ_START_FLAGS_DEFAULT = 0 };
using ACQ_STOP_FLAGS = int32_t;
enum : ACQ_STOP_FLAGS { ACQ_STOP_FLAGS_DEFAULT = 0, ACQ_STOP_FLAGS_KILL = 1 };

using BUFFER_PART_INFO_CMD = int32_t;
using FLOW_INFO_CMD = int32_t;
using SEGMENT_INFO_CMD = int32_t;

using PORT_INFO_CMD = int32_t;
enum : PORT_INFO_CMD {
  PORT_INFO_ID = 0, PORT_INFO_VENDOR = 1, PORT_INFO_MODEL = 2, PORT_INFO_TLTYPE = 3, PORT_INFO_MODULE = 4,
  PORT_INFO_LITTLE_ENDIAN = 5, PORT_INFO_BIG_ENDIAN = 6, PORT_INFO_ACCESS_READ = 7, PORT_INFO_ACCESS_WRITE = 8,
  PORT_INFO_ACCESS_NA = 9, PORT_INFO_ACCESS_NI = 10, PORT_INFO_VERSION = 11, PORT_INFO_PORTNAME = 12
};

using URL_INFO_CMD = int32_t;
enum : URL_INFO_CMD {
  URL_INFO_URL = 0, URL_INFO_SCHEMA_VER_MAJOR = 1, URL_INFO_SCHEMA_VER_MINOR = 2, URL_INFO_FILE_VER_MAJOR = 3,
  URL_INFO_FILE_VER_MINOR = 4, URL_INFO_FILE_VER_SUBMINOR = 5, URL_INFO_FILE_SHA1_HASH = 6,
  URL_INFO_FILE_REGISTER_ADDRESS = 7, URL_INFO_FILE_SIZE = 8, URL_INFO_SCHEME = 9, URL_INFO_FILENAME = 10
};
enum : int32_t { URL_SCHEME_LOCAL = 0 };

using EVENT_TYPE = int32_t;
enum : EVENT_TYPE {
  EVENT_ERROR = 0, EVENT_NEW_BUFFER = 1, EVENT_FEATURE_INVALIDATE = 2, EVENT_FEATURE_CHANGE = 3,
  EVENT_REMOTE_DEVICE = 4, EVENT_MODULE = 5
};
using EVENT_INFO_CMD = int32_t;
enum : EVENT_INFO_CMD {
  EVENT_EVENT_TYPE = 0, EVENT_NUM_IN_QUEUE = 1, EVENT_NUM_FIRED = 2, EVENT_SIZE_MAX = 3, EVENT_INFO_DATA_SIZE_MAX = 4
};
using EVENT_DATA_INFO_CMD = int32_t;
enum : EVENT_DATA_INFO_CMD { EVENT_DATA_ID = 0, EVENT_DATA_VALUE = 1, EVENT_DATA_NUMID = 2 };

#pragma pack(push, 1)
struct SINGLE_CHUNK_DATA { uint64_t ChunkID; ptrdiff_t ChunkOffset; size_t ChunkLength; };
struct EVENT_NEW_BUFFER_DATA { BUFFER_HANDLE BufferHandle; void* pUserPointer; };
struct PORT_REGISTER_STACK_ENTRY { uint64_t Address; void* pBuffer; size_t Size; };
struct DS_BUFFER_INFO_STACKED { BUFFER_INFO_CMD iInfoCmd; INFO_DATATYPE iType; void* pBuffer; size_t iSize; GC_ERROR iResult; };
struct DS_BUFFER_PART_INFO_STACKED { uint32_t iPartIndex; BUFFER_PART_INFO_CMD iInfoCmd; INFO_DATATYPE iType; void* pBuffer; size_t iSize; GC_ERROR iResult; };
#pragma pack(pop)

#define GC_API extern "C" __attribute__((visibility("default"))) GC_ERROR

GC_API GCInitLib(void);
GC_API GCCloseLib(void);
GC_API GCGetInfo(TL_INFO_CMD iInfoCmd, INFO_DATATYPE* piType, void* pBuffer, size_t* piSize);
GC_API GCGetLastError(GC_ERROR* piErrorCode, char* sErrorText, size_t* piSize);

GC_API TLOpen(TL_HANDLE* phSystem);
GC_API TLClose(TL_HANDLE hSystem);
GC_API TLGetInfo(TL_HANDLE hSystem, TL_INFO_CMD iInfoCmd, INFO_DATATYPE* piType, void* pBuffer, size_t* piSize);
GC_API TLGetNumInterfaces(TL_HANDLE hSystem, uint32_t* piNumIfaces);
GC_API TLGetInterfaceID(TL_HANDLE hSystem, uint32_t iIndex, char* sID, size_t* piSize);
GC_API TLGetInterfaceInfo(TL_HANDLE hSystem, const char* sIfaceID, INTERFACE_INFO_CMD iInfoCmd, INFO_DATATYPE* piType, void* pBuffer, size_t* piSize);
GC_API TLOpenInterface(TL_HANDLE hSystem, const char* sIfaceID, IF_HANDLE* phIface);
GC_API TLUpdateInterfaceList(TL_HANDLE hSystem, bool8_t* pbChanged, uint64_t iTimeout);

GC_API IFClose(IF_HANDLE hIface);
GC_API IFGetInfo(IF_HANDLE hIface, INTERFACE_INFO_CMD iInfoCmd, INFO_DATATYPE* piType, void* pBuffer, size_t* piSize);
GC_API IFGetNumDevices(IF_HANDLE hIface, uint32_t* piNumDevices);
GC_API IFGetDeviceID(IF_HANDLE hIface, uint32_t iIndex, char* sIDeviceID, size_t* piSize);
GC_API IFUpdateDeviceList(IF_HANDLE hIface, bool8_t* pbChanged, uint64_t iTimeout);
GC_API IFGetDeviceInfo(IF_HANDLE hIface, const char* sDeviceID, DEVICE_INFO_CMD iInfoCmd, INFO_DATATYPE* piType, void* pBuffer, size_t* piSize);
GC_API IFOpenDevice(IF_HANDLE hIface, const char* sDeviceID, DEVICE_ACCESS_FLAGS iOpenFlags, DEV_HANDLE* phDevice);
GC_API IFGetParentTL(IF_HANDLE hIface, TL_HANDLE* phSystem);

GC_API DevClose(DEV_HANDLE hDevice);
GC_API DevGetInfo(DEV_HANDLE hDevice, DEVICE_INFO_CMD iInfoCmd, INFO_DATATYPE* piType, void* pBuffer, size_t* piSize);
GC_API DevGetPort(DEV_HANDLE hDevice, PORT_HANDLE* phRemoteDevice);
GC_API DevGetNumDataStreams(DEV_HANDLE hDevice, uint32_t* piNumDataStreams);
GC_API DevGetDataStreamID(DEV_HANDLE hDevice, uint32_t iIndex, char* sDataStreamID, size_t* piSize);
GC_API DevOpenDataStream(DEV_HANDLE hDevice, const char* sDataStreamID, DS_HANDLE* phDataStream);
GC_API DevGetParentIF(DEV_HANDLE hDevice, IF_HANDLE* phIface);

GC_API DSAnnounceBuffer(DS_HANDLE hDataStream, void* pBuffer, size_t iSize, void* pPrivate, BUFFER_HANDLE* phBuffer);
GC_API DSAllocAndAnnounceBuffer(DS_HANDLE hDataStream, size_t iSize, void* pPrivate, BUFFER_HANDLE* phBuffer);
GC_API DSAnnounceCompositeBuffer(DS_HANDLE hDataStream, size_t iNumSegments, void** ppSegments, size_t* piSizes, void* pPrivate, BUFFER_HANDLE* phBuffer);
GC_API DSClose(DS_HANDLE hDataStream);
GC_API DSRevokeBuffer(DS_HANDLE hDataStream, BUFFER_HANDLE hBuffer, void** ppBuffer, void** ppPrivate);
GC_API DSQueueBuffer(DS_HANDLE hDataStream, BUFFER_HANDLE hBuffer);
GC_API DSGetInfo(DS_HANDLE hDataStream, STREAM_INFO_CMD iInfoCmd, INFO_DATATYPE* piType, void* pBuffer, size_t* piSize);
GC_API DSFlushQueue(DS_HANDLE hDataStream, ACQ_QUEUE_TYPE iOperation);
GC_API DSStartAcquisition(DS_HANDLE hDataStream, ACQ_START_FLAGS iStartFlags, uint64_t iNumToAcquire);
GC_API DSStopAcquisition(DS_HANDLE hDataStream, ACQ_STOP_FLAGS iStopFlags);
GC_API DSGetBufferID(DS_HANDLE hDataStream, uint32_t iIndex, BUFFER_HANDLE* phBuffer);
GC_API DSGetBufferInfo(DS_HANDLE hDataStream, BUFFER_HANDLE hBuffer, BUFFER_INFO_CMD iInfoCmd, INFO_DATATYPE* piType, void* pBuffer, size_t* piSize);
GC_API DSGetBufferInfoStacked(DS_HANDLE hDataStream, BUFFER_HANDLE hBuffer, DS_BUFFER_INFO_STACKED* pInfoStacked, size_t iNumInfos);
GC_API DSGetBufferChunkData(DS_HANDLE hDataStream, BUFFER_HANDLE hBuffer, SINGLE_CHUNK_DATA* pChunkData, size_t* piNumChunks);
GC_API DSGetParentDev(DS_HANDLE hDataStream, DEV_HANDLE* phDevice);
GC_API DSGetNumBufferParts(DS_HANDLE hDataStream, BUFFER_HANDLE hBuffer, uint32_t* piNumParts);
GC_API DSGetBufferPartInfo(DS_HANDLE hDataStream, BUFFER_HANDLE hBuffer, uint32_t iPartIndex, BUFFER_PART_INFO_CMD iInfoCmd, INFO_DATATYPE* piType, void* pBuffer, size_t* piSize);
GC_API DSGetBufferPartInfoStacked(DS_HANDLE hDataStream, BUFFER_HANDLE hBuffer, DS_BUFFER_PART_INFO_STACKED* pInfoStacked, size_t iNumInfos);
GC_API DSGetNumFlows(DS_HANDLE hDataStream, uint32_t* piNumFlows);
GC_API DSGetFlowInfo(DS_HANDLE hDataStream, uint32_t iFlowIndex, FLOW_INFO_CMD iInfoCmd, INFO_DATATYPE* piType, void* pBuffer, size_t* piSize);
GC_API DSGetNumBufferSegments(DS_HANDLE hDataStream, BUFFER_HANDLE hBuffer, uint32_t* piNumSegments);
GC_API DSGetBufferSegmentInfo(DS_HANDLE hDataStream, BUFFER_HANDLE hBuffer, uint32_t iSegmentIndex, SEGMENT_INFO_CMD iInfoCmd, INFO_DATATYPE* piType, void* pBuffer, size_t* piSize);

GC_API GCGetPortInfo(PORT_HANDLE hPort, PORT_INFO_CMD iInfoCmd, INFO_DATATYPE* piType, void* pBuffer, size_t* piSize);
GC_API GCGetPortURL(PORT_HANDLE hPort, char* sURL, size_t* piSize);
GC_API GCGetNumPortURLs(PORT_HANDLE hPort, uint32_t* piNumURLs);
GC_API GCGetPortURLInfo(PORT_HANDLE hPort, uint32_t iURLIndex, URL_INFO_CMD iInfoCmd, INFO_DATATYPE* piType, void* pBuffer, size_t* piSize);
GC_API GCReadPort(PORT_HANDLE hPort, uint64_t iAddress, void* pBuffer, size_t* piSize);
GC_API GCWritePort(PORT_HANDLE hPort, uint64_t iAddress, const void* pBuffer, size_t* piSize);
GC_API GCReadPortStacked(PORT_HANDLE hPort, PORT_REGISTER_STACK_ENTRY* pEntries, size_t* piNumEntries);
GC_API GCWritePortStacked(PORT_HANDLE hPort, PORT_REGISTER_STACK_ENTRY* pEntries, size_t* piNumEntries);

GC_API GCRegisterEvent(EVENTSRC_HANDLE hModule, EVENT_TYPE iEventID, EVENT_HANDLE* phEvent);
GC_API GCUnregisterEvent(EVENTSRC_HANDLE hModule, EVENT_TYPE iEventID);
GC_API EventGetData(EVENT_HANDLE hEvent, void* pBuffer, size_t* piSize, uint64_t iTimeout);
GC_API EventGetDataInfo(EVENT_HANDLE hEvent, const void* pInBuffer, size_t iInSize, EVENT_DATA_INFO_CMD iInfoCmd, INFO_DATATYPE* piType, void* pOutBuffer, size_t* piOutSize);
GC_API EventGetInfo(EVENT_HANDLE hEvent, EVENT_INFO_CMD iInfoCmd, INFO_DATATYPE* piType, void* pBuffer, size_t* piSize);
GC_API EventFlush(EVENT_HANDLE hEvent);
GC_API EventKill(EVENT_HANDLE hEvent);
