# gRPC and protobuf for this project's targets: the shared libraries or, in a binary that
# slipstream_static_grpc() names, the archives beside them. Loading and binding gRPC's sixty shared
# libraries takes longer than all else that `dfs ls` does.

# `out`: a twin of an imported target, and of all it links to, that is its archive; the target
# itself where it has none. What is no target ("dl", a flag) is left as it is.
function(slipstream_archive_of target out)
  if(target MATCHES "^\\$<LINK_ONLY:(.*)>$")
    set(target "${CMAKE_MATCH_1}")
  endif()
  set(${out} "${target}" PARENT_SCOPE)
  if(target MATCHES "^-l(.+)$")
    find_library(SLIPSTREAM_ARCHIVE_${CMAKE_MATCH_1} "lib${CMAKE_MATCH_1}.a")
    mark_as_advanced(SLIPSTREAM_ARCHIVE_${CMAKE_MATCH_1})
    if(SLIPSTREAM_ARCHIVE_${CMAKE_MATCH_1})
      set(${out} "${SLIPSTREAM_ARCHIVE_${CMAKE_MATCH_1}}" PARENT_SCOPE)
    endif()
  endif()
  if(NOT TARGET "${target}" OR target STREQUAL "Threads::Threads" OR target MATCHES "^archive_")
    return()
  endif()
  string(REPLACE ":" "_" name "archive_${target}")
  set(${out} "${name}" PARENT_SCOPE)
  if(TARGET "${name}")
    return()
  endif()

  get_target_property(type "${target}" TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    add_library("${name}" INTERFACE IMPORTED GLOBAL)
  else()
    get_target_property(location "${target}" LOCATION)
    string(REGEX REPLACE "\\.so[.0-9]*$" ".a" archive "${location}")
    if(NOT EXISTS "${archive}")
      set(${out} "${target}" PARENT_SCOPE)
      return()
    endif()
    add_library("${name}" STATIC IMPORTED GLOBAL)
    set_target_properties("${name}" PROPERTIES IMPORTED_LOCATION "${archive}")
  endif()
  get_target_property(needed "${target}" INTERFACE_LINK_LIBRARIES)
  if(needed)
    set(archives "")
    foreach(library IN LISTS needed)
      slipstream_archive_of("${library}" archive)
      list(APPEND archives "${archive}")
    endforeach()
    set_target_properties("${name}" PROPERTIES INTERFACE_LINK_LIBRARIES "${archives}")
  endif()
endfunction()

# slipstream::<name>: `shared`, or in a binary that wants archives that of `static`, if there is any.
function(slipstream_grpc_library name shared static)
  set(archive "")
  if(static)
    slipstream_archive_of("${static}" archive)
  endif()
  add_library(slipstream_${name} INTERFACE)
  add_library(slipstream::${name} ALIAS slipstream_${name})
  target_link_libraries(slipstream_${name} INTERFACE
    "$<IF:$<BOOL:$<TARGET_PROPERTY:SLIPSTREAM_STATIC_GRPC>>,${archive},${shared}>")
endfunction()

slipstream_grpc_library(grpc gRPC::grpc++ gRPC::grpc++)
slipstream_grpc_library(protobuf protobuf::libprotobuf protobuf::libprotobuf)
# Of which gRPC has its own copy in it where it is an archive.
slipstream_grpc_library(absl_synchronization absl::synchronization absl::synchronization)
slipstream_grpc_library(absl_time absl::time absl::time)
# As gRPC has it: never both its archive and the shared one.
slipstream_grpc_library(crypto OpenSSL::Crypto OpenSSL::Crypto)
# For servers only, which all use the shared ones.
slipstream_grpc_library(grpc_reflection gRPC::grpc++_reflection "")

# The sanitizers' presets keep shared libraries, which link in a moment.
function(slipstream_static_grpc binary)
  if(NOT SLIPSTREAM_SANITIZE)
    set_target_properties(${binary} PROPERTIES SLIPSTREAM_STATIC_GRPC ON)
  endif()
endfunction()
