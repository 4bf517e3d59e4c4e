# Debian packages by CPack, one for each group of daemons:
#
#   cmake --build build/release && (cd build/release && cpack -G DEB)
#
# slipstream-common has what all share: the user, the cluster's addresses in /etc/slipstream,
# slipstream-doctor, slipstream-certs and the manual of the lab. What a daemon's package does when it is installed and
# removed is made from deploy/debian/*.in.

set(SLIPSTREAM_MAINTAINER "Slipstream <root@localhost>" CACHE STRING "Of the Debian packages")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME slipstream)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_CONTACT "${SLIPSTREAM_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENTS_ALL common)

set(systemd_dir lib/systemd/system)
set(scripts_dir "${CMAKE_BINARY_DIR}/debian")

# slipstream_package(NAME DESCRIPTION … [TARGET …] [UNIT …] [SERVICE …] [CONFIG …] [SCRIPTS …])
#   TARGET    its binary
#   UNIT      its file in deploy/systemd; SERVICE: what is started with the machine (none for a
#             template: which of it, is for an administrator to say)
#   CONFIG    its files in deploy/systemd that go to /etc/slipstream
function(slipstream_package name)
  cmake_parse_arguments(arg "" "DESCRIPTION;TARGET;UNIT;SERVICE;DEPENDS;TEMPLATE" "CONFIG" ${ARGN})
  if(arg_TARGET)
    install(TARGETS ${arg_TARGET} RUNTIME DESTINATION bin COMPONENT ${name})
  endif()
  if(arg_UNIT)
    install(FILES "${CMAKE_SOURCE_DIR}/deploy/systemd/${arg_UNIT}" DESTINATION ${systemd_dir}
      COMPONENT ${name})
  endif()
  set(conffiles "")
  foreach(config IN LISTS arg_CONFIG)
    install(FILES "${CMAKE_SOURCE_DIR}/deploy/systemd/${config}" DESTINATION /etc/slipstream
      COMPONENT ${name})
    string(APPEND conffiles "/etc/slipstream/${config}\n")
  endforeach()

  set(PACKAGE_UNIT "${arg_UNIT}")
  set(PACKAGE_SERVICE "${arg_SERVICE}")
  string(REGEX REPLACE "^slipstream-(dfs-)?(.*)$" "\\2" PACKAGE_STATE "slipstream-${name}")
  set(control "")
  foreach(script postinst prerm postrm)
    configure_file("${CMAKE_SOURCE_DIR}/deploy/debian/${arg_TEMPLATE}.${script}.in"
      "${scripts_dir}/${name}/${script}" @ONLY FILE_PERMISSIONS
      OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
    list(APPEND control "${scripts_dir}/${name}/${script}")
  endforeach()
  if(conffiles)
    file(WRITE "${scripts_dir}/${name}/conffiles" "${conffiles}")
    list(APPEND control "${scripts_dir}/${name}/conffiles")
  endif()

  string(TOUPPER "${name}" upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME slipstream-${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${arg_DEPENDS}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA "${control}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_STRICT_PERMISSION ON PARENT_SCOPE)
  set(CPACK_COMPONENT_${upper}_DESCRIPTION "${arg_DESCRIPTION}" PARENT_SCOPE)
  list(APPEND CPACK_COMPONENTS_ALL ${name})
  list(REMOVE_DUPLICATES CPACK_COMPONENTS_ALL)
  set(CPACK_COMPONENTS_ALL "${CPACK_COMPONENTS_ALL}" PARENT_SCOPE)
endfunction()

set(with_common "slipstream-common (= ${PROJECT_VERSION})")

slipstream_package(common TEMPLATE common CONFIG cluster.env DEPENDS "adduser, openssl, python3"
  DESCRIPTION "Slipstream: what all its daemons share\n The user, the cluster's addresses, slipstream-doctor, the manual of the lab.")
install(PROGRAMS deploy/doctor/doctor.py DESTINATION bin RENAME slipstream-doctor COMPONENT common)
install(PROGRAMS deploy/certs/slipstream-certs DESTINATION bin COMPONENT common)
install(FILES docs/LAB.md docs/SECURITY.md README.md DESTINATION share/doc/slipstream-common COMPONENT common)
install(DIRECTORY deploy/prometheus deploy/grafana DESTINATION share/slipstream COMPONENT common
  PATTERN "*.py" EXCLUDE PATTERN "__pycache__" EXCLUDE PATTERN "compose.yml" EXCLUDE
  PATTERN "rules_test.yml" EXCLUDE)

slipstream_package(dfs-master TEMPLATE daemon TARGET dfs-master UNIT slipstream-dfs-master.service
  SERVICE slipstream-dfs-master.service CONFIG dfs-master.env DEPENDS "${with_common}"
  DESCRIPTION "Slipstream: master of the replicated file system\n Names, blocks, placement, repair, two-phase appends.")
slipstream_package(dfs-datanode TEMPLATE daemon TARGET dfs-datanode
  UNIT slipstream-dfs-datanode@.service CONFIG dfs-datanode.env DEPENDS "${with_common}"
  DESCRIPTION "Slipstream: datanode of the replicated file system\n Keeps block replicas on local disks. Start slipstream-dfs-datanode@1.")
slipstream_package(processor TEMPLATE daemon TARGET processor UNIT slipstream-processor@.service
  CONFIG processor.env DEPENDS "${with_common}, tzdata"
  DESCRIPTION "Slipstream: streaming SQL from Kafka\n Runs a job file, exactly once. Start slipstream-processor@JOB.")
install(DIRECTORY jobs/ DESTINATION share/slipstream/jobs COMPONENT processor)
slipstream_package(gateway TEMPLATE daemon TARGET gateway UNIT slipstream-gateway.service
  SERVICE slipstream-gateway.service CONFIG gateway.env DEPENDS "${with_common}"
  DESCRIPTION "Slipstream: WebHDFS and dashboard\n Serves the file system and the state of cluster and jobs over HTTP.")
install(DIRECTORY dashboards/ DESTINATION share/slipstream/dashboards COMPONENT gateway)
# Commands: nothing is started, nothing is kept.
foreach(tool dfs producer)
  install(TARGETS ${tool} RUNTIME DESTINATION bin COMPONENT ${tool})
  string(TOUPPER ${tool} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME slipstream-${tool})
  list(APPEND CPACK_COMPONENTS_ALL ${tool})
endforeach()
set(CPACK_DEBIAN_PRODUCER_PACKAGE_DEPENDS tzdata)
set(CPACK_COMPONENT_DFS_DESCRIPTION "Slipstream: command line of the file system\n The verbs of hdfs dfs.")
set(CPACK_COMPONENT_PRODUCER_DESCRIPTION "Slipstream: flights and sensors for Kafka\n Replays CSV files and simulates sensors, as JSON.")

include(CPack)
