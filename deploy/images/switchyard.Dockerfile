# A whole installation in one container: gateway, Runtime, workers, control API.
# The context is deploy/images/out/switchyard, which `node tools/images/main.ts switchyard` fills.
ARG BASE=node:24-bookworm-slim
FROM ${BASE}
COPY app /opt/switchyard
COPY --chown=10001:10001 state /var/lib/switchyard
ENV NODE_ENV=production SWITCHYARD_DATA_DIR=/var/lib/switchyard HOME=/var/lib/switchyard
WORKDIR /var/lib/switchyard
USER 10001
EXPOSE 7071
ENTRYPOINT ["node", "/opt/switchyard/bundle/main.mjs"]
CMD ["up", "--host", "0.0.0.0"]
