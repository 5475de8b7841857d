module logflux.example/subject

go 1.19
