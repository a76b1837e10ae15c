# Builds Dialtone and puts the program into a small image, with libpq and the CA certificates that it needs.

FROM swift:6.3-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends pkg-config libpq-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
COPY Benchmarks Benchmarks
COPY migrations migrations
RUN swift build -c release --product dialtone --static-swift-stdlib && cp .build/release/dialtone /dialtone

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq5 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --uid 10001 dialtone
COPY --from=build /dialtone /usr/local/bin/dialtone
USER dialtone
ENV DIALTONE_LISTEN=0.0.0.0:8080
EXPOSE 8080
ENTRYPOINT ["dialtone"]
CMD ["serve"]
