# All sources a second time, with the bugs of models/base/mutant.h compiled in: a library for tests
# that must find them, and the program destrasim-mutants, whose `protocol.mutant` chooses one.
set(mutant_folders models/base models/crypto models/privacy models/wire models/ledger models/anomaly models/posync
  models/consensus models/service models/foundation models/client models/node models/adversary
  sim/kernel sim/net sim/workload sim/scenario sim/fault sim/record sim/check sim/world analysis)
set(mutant_sources)
foreach(folder IN LISTS mutant_folders)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${folder}/*.c")
  list(APPEND mutant_sources ${sources})
endforeach()
set(assets "${CMAKE_BINARY_DIR}/generated/page_assets.c") # made for the library `analysis`
set_source_files_properties("${assets}" PROPERTIES GENERATED TRUE)
add_library(destra_mutants STATIC ${mutant_sources} "${assets}")
add_dependencies(destra_mutants analysis)
target_compile_definitions(destra_mutants PUBLIC DC_MUTANTS=1)
target_link_libraries(destra_mutants PUBLIC destra_flags m PkgConfig::SODIUM decaf OpenMP::OpenMP_C
  PkgConfig::IGRAPH PkgConfig::GSL PkgConfig::FYAML PkgConfig::HDF5 hdf5_serial_hl)
if(main_sources)
  add_executable(destrasim-mutants ${main_sources})
  target_link_libraries(destrasim-mutants PRIVATE destra_mutants)
endif()

destra_test(mutants/test_twins_find destra_mutants LABELS "property")
if(TARGET destrasim-mutants)
  add_test(NAME mutants_program
    COMMAND /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/mutants/test_program.py"
      "$<TARGET_FILE:destrasim-mutants>" "${CMAKE_SOURCE_DIR}")
  set_tests_properties(mutants_program PROPERTIES LABELS "determinism" TIMEOUT 300
    ENVIRONMENT "DESTRASIM=$<TARGET_FILE:destrasim>")
endif()
