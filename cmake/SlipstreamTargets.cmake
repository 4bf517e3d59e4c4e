# How a target of this project is declared:
#
#   slipstream_library(dfs_block SRCS block.cpp … DEPS slipstream::status … PRIVATE_DEPS …)
#   slipstream_binary(dfs-master SRCS main.cpp DEPS slipstream::dfs_master_daemon)
#   slipstream_test(common_unit_test LABELS unit SRCS … DEPS …)
#
# Sources are listed, never globbed. A library `x` is used as `slipstream::x`. DEPS are what the
# headers expose; PRIVATE_DEPS what only the sources need. Includes are from the repository's root.

add_library(slipstream_options INTERFACE)
add_library(slipstream::options ALIAS slipstream_options)
target_compile_features(slipstream_options INTERFACE cxx_std_20)
target_include_directories(slipstream_options INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(slipstream_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wimplicit-fallthrough
  # Designated initialisers leave members to their defaults on purpose.
  -Wno-missing-field-initializers)
if(SLIPSTREAM_WERROR)
  target_compile_options(slipstream_options INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(slipstream_options INTERFACE -Wthread-safety)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Both give false positives on std::string and std::optional at -O2 in GCC 12.
  target_compile_options(slipstream_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
if(SLIPSTREAM_SANITIZE)
  # For generated code too, so that containers agree on their annotations across targets.
  add_compile_options(-fsanitize=${SLIPSTREAM_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SLIPSTREAM_SANITIZE})
  if(SLIPSTREAM_SANITIZE MATCHES "thread")
    # The thread sanitizer knows no fences. Asio's are needed by handlers without any lock only.
    add_compile_options(-Wno-tsan)
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
  if(SLIPSTREAM_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

function(slipstream_library name)
  cmake_parse_arguments(arg "" "" "SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  if(arg_SRCS)
    add_library(${name} STATIC ${arg_SRCS})
    target_link_libraries(${name} PUBLIC ${arg_DEPS}
      PRIVATE slipstream::options ${arg_PRIVATE_DEPS})
    target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}")
    target_compile_features(${name} PUBLIC cxx_std_20)
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${arg_DEPS})
    target_include_directories(${name} INTERFACE "${CMAKE_SOURCE_DIR}")
  endif()
  add_library(slipstream::${name} ALIAS ${name})
endfunction()

function(slipstream_binary name)
  cmake_parse_arguments(arg "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${arg_SRCS})
  target_link_libraries(${name} PRIVATE slipstream::options ${arg_DEPS})
endfunction()

# What a sanitizer's build tree needs: the test binaries of one label.
add_custom_target(unit_tests)
add_custom_target(sql_tests)

# A GoogleTest binary; ctest sees it as one test per binary, under the given labels. RUN_ARGS are
# passed to it; ENVIRONMENT is VAR=value.
function(slipstream_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SRCS;DEPS;LABELS;ENVIRONMENT;RUN_ARGS" ${ARGN})
  add_executable(${name} ${arg_SRCS})
  target_link_libraries(${name} PRIVATE slipstream::options ${arg_DEPS}
    GTest::gmock GTest::gtest_main)
  # GoogleTest's own macros need neither warning. What a test calls is optimised, the test itself is
  # not: that halves the time to compile it. Work that needs optimising belongs into a library.
  target_compile_options(${name} PRIVATE -Wno-conversion -Wno-shadow -O0)
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1 ${arg_RUN_ARGS})
  # Generous: a test that hangs is found as well, and one on a busy machine is not taken for one.
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  if(SLIPSTREAM_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 3")
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
    ENVIRONMENT "SLIPSTREAM_SOURCE_DIR=${CMAKE_SOURCE_DIR};SLIPSTREAM_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};${arg_ENVIRONMENT}")
  foreach(label IN LISTS arg_LABELS)
    if(TARGET ${label}_tests)
      add_dependencies(${label}_tests ${name})
    endif()
  endforeach()
endfunction()

# Generated protobuf and gRPC code: its own target, without our warnings, seen as system headers.
# The messages go into <name>_messages (no gRPC header), the service into <name>_service.
function(slipstream_proto name)
  cmake_parse_arguments(arg "SERVICE" "PROTO" "DEPS" ${ARGN})
  set(out "${CMAKE_BINARY_DIR}/generated/proto")
  file(MAKE_DIRECTORY "${out}")
  get_filename_component(base "${arg_PROTO}" NAME_WE)
  set(src "${CMAKE_CURRENT_SOURCE_DIR}/${arg_PROTO}")
  set(messages "${out}/${base}.pb.cc" "${out}/${base}.pb.h")
  add_custom_command(OUTPUT ${messages}
    COMMAND protobuf::protoc -I "${CMAKE_SOURCE_DIR}" --cpp_out "${CMAKE_BINARY_DIR}/generated" "${src}"
    DEPENDS "${src}" VERBATIM)
  add_library(${name}_messages STATIC ${messages})
  target_link_libraries(${name}_messages PUBLIC slipstream::protobuf ${arg_DEPS})
  target_include_directories(${name}_messages SYSTEM PUBLIC "${CMAKE_BINARY_DIR}/generated")
  target_compile_features(${name}_messages PUBLIC cxx_std_20)
  add_library(slipstream::${name}_messages ALIAS ${name}_messages)
  if(arg_SERVICE)
    set(service "${out}/${base}.grpc.pb.cc" "${out}/${base}.grpc.pb.h")
    add_custom_command(OUTPUT ${service}
      COMMAND protobuf::protoc -I "${CMAKE_SOURCE_DIR}"
        --grpc_out "${CMAKE_BINARY_DIR}/generated"
        --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin> "${src}"
      DEPENDS "${src}" VERBATIM)
    add_library(${name}_service STATIC ${service})
    target_link_libraries(${name}_service PUBLIC ${name}_messages slipstream::grpc)
    add_library(slipstream::${name}_service ALIAS ${name}_service)
  endif()
endfunction()
