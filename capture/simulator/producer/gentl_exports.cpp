// The C interface, first part: library, system, interface, device and ports. Handles become objects, nothing more.
#include "adapter.h"

using namespace simulator;

// Library

GC_ERROR GCInitLib() {
  return guarded([] { Library::instance().initialise(); });
}

GC_ERROR GCCloseLib() {
  return call([] { Library::instance().close(); });
}

GC_ERROR GCGetInfo(TL_INFO_CMD command, INFO_DATATYPE* type, void* buffer, size_t* size) {
  return call([&] {
    InfoReply reply(type, buffer, size);
    System::info(command, reply);
  });
}

GC_ERROR GCGetLastError(GC_ERROR* code, char* text, size_t* size) {
  const LastError last = last_error();
  const GC_ERROR result = call([&] {
    require_pointer(code, "piErrorCode");
    text_reply(last.text, text, size);
    *code = last.code;
  });
  last_error() = last;
  return result;
}

// System

GC_ERROR TLOpen(TL_HANDLE* handle) {
  return structural([&] {
    require_pointer(handle, "phSystem");
    auto& system = Library::instance().system;
    if (system) throw Failure(GC_ERR_RESOURCE_IN_USE, "the system is open already");
    system = std::make_shared<System>();
    *handle = Registry::instance().add(system);
  });
}

GC_ERROR TLClose(TL_HANDLE handle) {
  return structural([&] {
    system_of(handle)->close();
    Library::instance().system.reset();
  });
}

GC_ERROR TLGetInfo(TL_HANDLE handle, TL_INFO_CMD command, INFO_DATATYPE* type, void* buffer, size_t* size) {
  return call([&] {
    const auto system = system_of(handle);
    InfoReply reply(type, buffer, size);
    system->info(command, reply);
  });
}

GC_ERROR TLGetNumInterfaces(TL_HANDLE handle, uint32_t* count) {
  return structural([&] {
    const auto system = system_of(handle);
    require_pointer(count, "piNumIfaces");
    *count = system->interfaces();
  });
}

GC_ERROR TLGetInterfaceID(TL_HANDLE handle, uint32_t index, char* id, size_t* size) {
  return structural([&] {
    if (index >= system_of(handle)->interfaces()) throw Failure(GC_ERR_INVALID_INDEX, "there is no such interface");
    text_reply(kInterfaceId, id, size);
  });
}

GC_ERROR TLGetInterfaceInfo(TL_HANDLE handle, const char* id, INTERFACE_INFO_CMD command, INFO_DATATYPE* type,
                            void* buffer, size_t* size) {
  return call([&] {
    const auto system = system_of(handle);
    if (text_of(id, "sIfaceID") != kInterfaceId) throw Failure(GC_ERR_INVALID_ID, "there is no such interface");
    InfoReply reply(type, buffer, size);
    system->interface_info(command, reply);
  });
}

GC_ERROR TLOpenInterface(TL_HANDLE handle, const char* id, IF_HANDLE* interface) {
  return structural([&] {
    const auto system = system_of(handle);
    require_pointer(interface, "phIface");
    *interface = system->open(text_of(id, "sIfaceID"))->handle();
  });
}

GC_ERROR TLUpdateInterfaceList(TL_HANDLE handle, bool8_t* changed, uint64_t /*timeout*/) {
  return structural([&] {
    const bool different = system_of(handle)->update();
    if (!invalid_pointer(changed)) *changed = different ? 1 : 0;
  });
}

// Interface

GC_ERROR IFClose(IF_HANDLE handle) {
  return structural([&] {
    interface_of(handle);
    Library::instance().system->close_interface();
  });
}

GC_ERROR IFGetInfo(IF_HANDLE handle, INTERFACE_INFO_CMD command, INFO_DATATYPE* type, void* buffer, size_t* size) {
  return call([&] {
    interface_of(handle);
    InfoReply reply(type, buffer, size);
    System::interface_info(command, reply);
  });
}

GC_ERROR IFGetNumDevices(IF_HANDLE handle, uint32_t* count) {
  return structural([&] {
    const auto interface = interface_of(handle);
    require_pointer(count, "piNumDevices");
    *count = static_cast<uint32_t>(interface->serials().size());
  });
}

GC_ERROR IFGetDeviceID(IF_HANDLE handle, uint32_t index, char* id, size_t* size) {
  return structural([&] {
    const auto interface = interface_of(handle);
    if (index >= interface->serials().size()) throw Failure(GC_ERR_INVALID_INDEX, "there is no such camera");
    text_reply(Interface::device_id(interface->serials()[index]), id, size);
  });
}

GC_ERROR IFUpdateDeviceList(IF_HANDLE handle, bool8_t* changed, uint64_t /*timeout*/) {
  return structural([&] {
    const bool different = interface_of(handle)->update();
    if (!invalid_pointer(changed)) *changed = different ? 1 : 0;
  });
}

GC_ERROR IFGetDeviceInfo(IF_HANDLE handle, const char* id, DEVICE_INFO_CMD command, INFO_DATATYPE* type, void* buffer,
                         size_t* size) {
  return structural([&] {
    const auto interface = interface_of(handle);
    InfoReply reply(type, buffer, size);
    interface->device_info(interface->serial_of(text_of(id, "sDeviceID")), command, reply);
  });
}

GC_ERROR IFOpenDevice(IF_HANDLE handle, const char* id, DEVICE_ACCESS_FLAGS access, DEV_HANDLE* device) {
  return structural([&] {
    const auto interface = interface_of(handle);
    require_pointer(device, "phDevice");
    *device = interface->open(text_of(id, "sDeviceID"), access)->handle();
  });
}

GC_ERROR IFGetParentTL(IF_HANDLE handle, TL_HANDLE* system) {
  return structural([&] { give_handle(interface_of(handle)->parent(), system, "phSystem"); });
}

// Device

GC_ERROR DevClose(DEV_HANDLE handle) {
  return structural([&] {
    const auto device = device_of(handle);
    device->parent()->close(device);
  });
}

GC_ERROR DevGetInfo(DEV_HANDLE handle, DEVICE_INFO_CMD command, INFO_DATATYPE* type, void* buffer, size_t* size) {
  return structural([&] {
    const auto device = device_of(handle);
    InfoReply reply(type, buffer, size);
    device->info(command, reply);
  });
}

GC_ERROR DevGetPort(DEV_HANDLE handle, PORT_HANDLE* port) {
  return structural([&] { give_handle(device_of(handle)->camera(), port, "phRemoteDevice"); });
}

GC_ERROR DevGetNumDataStreams(DEV_HANDLE handle, uint32_t* count) {
  return call([&] {
    device_of(handle);
    require_pointer(count, "piNumDataStreams");
    *count = 1;
  });
}

GC_ERROR DevGetDataStreamID(DEV_HANDLE handle, uint32_t index, char* id, size_t* size) {
  return call([&] {
    const auto device = device_of(handle);
    if (index != 0) throw Failure(GC_ERR_INVALID_INDEX, "a camera has one data stream");
    text_reply(device->stream_id(), id, size);
  });
}

GC_ERROR DevOpenDataStream(DEV_HANDLE handle, const char* id, DS_HANDLE* stream) {
  return structural([&] {
    const auto device = device_of(handle);
    require_pointer(stream, "phDataStream");
    *stream = device->open_stream(text_of(id, "sDataStreamID"))->handle();
  });
}

GC_ERROR DevGetParentIF(DEV_HANDLE handle, IF_HANDLE* interface) {
  return structural([&] { give_handle(device_of(handle)->parent(), interface, "phIface"); });
}

// Ports

GC_ERROR GCGetPortInfo(PORT_HANDLE handle, PORT_INFO_CMD command, INFO_DATATYPE* type, void* buffer, size_t* size) {
  return call([&] {
    const auto port = port_of(handle);
    InfoReply reply(type, buffer, size);
    port->port_info(command, reply);
  });
}

GC_ERROR GCGetPortURL(PORT_HANDLE handle, char* url, size_t* size) {
  return call([&] {
    const auto port = port_of(handle);
    INFO_DATATYPE type = INFO_DATATYPE_UNKNOWN;
    InfoReply(&type, url, size).string_list(port->url());
  });
}

GC_ERROR GCGetNumPortURLs(PORT_HANDLE handle, uint32_t* count) {
  return call([&] {
    port_of(handle);
    require_pointer(count, "piNumURLs");
    *count = 1;
  });
}

GC_ERROR GCGetPortURLInfo(PORT_HANDLE handle, uint32_t index, URL_INFO_CMD command, INFO_DATATYPE* type, void* buffer,
                          size_t* size) {
  return call([&] {
    const auto port = port_of(handle);
    if (index != 0) throw Failure(GC_ERR_INVALID_INDEX, "a port has one URL");
    InfoReply reply(type, buffer, size);
    port->url_info(command, reply);
  });
}

GC_ERROR GCReadPort(PORT_HANDLE handle, uint64_t address, void* buffer, size_t* size) {
  return call([&] {
    const auto port = port_of(handle);
    require_pointer(buffer, "pBuffer");
    require_pointer(size, "piSize");
    port->read(address, buffer, *size);
  });
}

GC_ERROR GCWritePort(PORT_HANDLE handle, uint64_t address, const void* buffer, size_t* size) {
  return call([&] {
    const auto port = port_of(handle);
    require_pointer(buffer, "pBuffer");
    require_pointer(size, "piSize");
    port->write(address, buffer, *size);
  });
}

namespace {

// Stops at the first entry that fails; *count then says how many were done.
template <class Access>
GC_ERROR stacked(PORT_HANDLE handle, PORT_REGISTER_STACK_ENTRY* entries, size_t* count, Access access) {
  return call([&] {
    const auto port = port_of(handle);
    require_pointer(entries, "pEntries");
    require_pointer(count, "piNumEntries");
    const size_t wanted = *count;
    for (*count = 0; *count < wanted; ++*count) {
      const PORT_REGISTER_STACK_ENTRY entry = entries[*count];
      require_pointer(entry.pBuffer, "pBuffer");
      access(*port, entry);
    }
  });
}

}  // namespace

GC_ERROR GCReadPortStacked(PORT_HANDLE handle, PORT_REGISTER_STACK_ENTRY* entries, size_t* count) {
  return stacked(handle, entries, count, [](Port& port, const PORT_REGISTER_STACK_ENTRY& entry) {
    port.read(entry.Address, entry.pBuffer, entry.Size);
  });
}

GC_ERROR GCWritePortStacked(PORT_HANDLE handle, PORT_REGISTER_STACK_ENTRY* entries, size_t* count) {
  return stacked(handle, entries, count, [](Port& port, const PORT_REGISTER_STACK_ENTRY& entry) {
    port.write(entry.Address, entry.pBuffer, entry.Size);
  });
}
