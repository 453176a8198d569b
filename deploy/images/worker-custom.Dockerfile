# A worker for custom handlers with its sidecar. It holds no Runtime; add the language of the handler to the base.
# The context is deploy/images/out/worker-custom, which `node tools/images/main.ts worker-custom` fills.
ARG BASE=node:24-bookworm-slim
FROM ${BASE}
COPY app /opt/switchyard
COPY --chown=10001:10001 state /var/lib/switchyard
ENV NODE_ENV=production SWITCHYARD_DATA_DIR=/var/lib/switchyard HOME=/var/lib/switchyard
WORKDIR /var/lib/switchyard
USER 10001
ENTRYPOINT ["node", "/opt/switchyard/bundle/main.mjs"]
CMD ["sidecar"]
